import Foundation

/// What Linux says of the process's mappings in /proc/self/smaps.
enum MappedFlags {
    private static let file = URL(filePath: "/proc/self/smaps")

    /// Whether there are such flags, and large pages to be advised.
    static let areKnown =
        FileManager.default.fileExists(atPath: "/sys/kernel/mm/transparent_hugepage/enabled")
        && (try? String(contentsOf: file, encoding: .utf8).contains("VmFlags:")) == true

    /// The flags of the mapping that holds the address, such as `hg` where large pages are advised; nil where nothing is mapped.
    static func of(_ address: UInt) throws -> Set<Substring>? {
        var isInside = false
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            if let range = range(line) {
                isInside = range.contains(address)
            } else if isInside, line.hasPrefix("VmFlags:") {
                return Set(line.split(separator: " ").dropFirst())
            }
        }
        return nil
    }

    /// The addresses at the start of a mapping's first line.
    private static func range(_ line: Substring) -> Range<UInt>? {
        let ends = line.prefix { $0 != " " }.split(separator: "-").map { UInt($0, radix: 16) }
        guard ends.count == 2, let start = ends[0], let end = ends[1], start < end else { return nil }
        return start..<end
    }
}
