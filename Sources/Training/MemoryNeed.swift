import Foundation
import Memory

/// About how much memory some work takes at once, part by part, so that what cannot fit is refused before it begins.
///
///     var need = MemoryNeed()
///     need.add(4 * rows * width, .option("--batch", value: "\(rows)"))
///     try need.check()
public struct MemoryNeed: Sendable {
    /// Something that takes memory.
    public struct Part: Sendable {
        public var name: String
        public var bytes: Double
        public var cause: MemoryCause
    }

    /// What an array takes beside its elements: its header, and what the allocator rounds up, in the mean.
    public static let arrayBytes = 48.0

    /// Bytes of arrays that grow by doubling, for each of their elements': a quarter of one is empty in the mean.
    public static let growing = 4.0 / 3

    public private(set) var parts: [Part] = []

    public init() {}

    /// Of all parts together; infinite where a size is beyond counting.
    public var bytes: Double { parts.reduce(0) { $0 + $1.bytes } }

    /// - Parameters:
    ///   - cause: what the size of this part goes by.
    ///   - name: of the part; its cause, where it has none.
    public mutating func add(_ bytes: Double, _ cause: MemoryCause, name: String? = nil) {
        parts.append(Part(name: name ?? "\(cause)", bytes: bytes, cause: cause))
    }

    /// A row a part, the largest first, and the sum.
    var table: String {
        let rows = parts.sorted { $0.bytes > $1.bytes }.map { [$0.name, InsufficientMemory.text($0.bytes)] }
        return TextTable.layOut(
            [["memory, about", InsufficientMemory.text(bytes)]] + rows.map { ["  " + $0[0], $0[1]] })
    }

    /// - Throws: `InsufficientMemory` with the figures and the cause of the largest part, where more is needed than there is.
    public func check(available: Int = AvailableMemory.bytes) throws(InsufficientMemory) {
        guard !(bytes <= Double(available)), let largest = parts.max(by: { $0.bytes < $1.bytes }) else { return }
        throw InsufficientMemory(cause: largest.cause, bytes: bytes, available: available)
    }
}

/// What decides the size of some memory.
public enum MemoryCause: Sendable, Equatable, CustomStringConvertible {
    /// Of the command line, with its dashes.
    case option(String, value: String)
    /// Of a run's configuration, dotted.
    case key(String, value: String)
    case field(String, of: String, line: Int? = nil, value: String)

    public var description: String {
        switch self {
        case .option(let name, let value): "\(name) is \(value)"
        case .key(let name, let value): "configuration: \(name): is \(value)"
        case .field(let field, let path, let line, let value):
            path + (line.map { ", line \($0)" } ?? "") + ": \(field): is \(value)"
        }
    }
}

/// Work that would take more memory than there is.
public struct InsufficientMemory: Error, Equatable, CustomStringConvertible {
    public var cause: MemoryCause
    /// About what the work would take.
    public var bytes: Double
    public var available: Int

    public var description: String { "\(cause): \(reason)" }

    var reason: String {
        "the work would take about \(Self.text(bytes)) of memory, and \(Self.text(Double(available))) are there"
    }

    static func text(_ bytes: Double) -> String {
        if bytes >= 0x1p60 { return "more than an EiB" }
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
        let unit = (0..<units.count).last { bytes >= pow(1024, Double($0)) } ?? 0
        return String(format: unit == 0 ? "%.0f %@" : "%.1f %@", bytes / pow(1024, Double(unit)), units[unit])
    }
}
