import Foundation

/// What the system says of the thread that asks.
package enum PresentThread {
    /// Its name, of which the system keeps 15 bytes.
    package static var name: String {
        ((try? read("comm")) ?? "").trimmingCharacters(in: .newlines)
    }

    /// The numbers of the cores that it may use, ascending.
    package static var cores: [Int] {
        let key = "Cpus_allowed_list:"
        let row = (try? read("status"))?.split(separator: "\n").first { $0.hasPrefix(key) }
        // Ranges and single numbers: 0-3,7.
        return (row ?? "").dropFirst(key.count).split(separator: ",").flatMap { range in
            let ends = range.split(separator: "-").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
            guard let first = ends.first, let last = ends.last else { return [Int]() }
            return Array(first...last)
        }
    }

    private static func read(_ name: String) throws -> String {
        try String(contentsOfFile: "/proc/thread-self/\(name)", encoding: .utf8)
    }
}
