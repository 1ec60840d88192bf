import Foundation

/// Puts rows out in the order of their input, whatever order they are done in.
actor OrderedRows {
    typealias Sink = @Sendable (Data) throws -> Void

    private let sink: Sink
    private var waiting: [Int: Data] = [:]
    private var next = 0

    init(sink: @escaping Sink = { try StandardOutput.write($0) }) {
        self.sink = sink
    }

    /// Takes what input row `index` (from 0) gave: one line, or several.
    ///
    /// - Throws: what the sink throws.
    func put(_ lines: Data, at index: Int) throws {
        waiting[index] = lines
        while let ready = waiting.removeValue(forKey: next) {
            try sink(ready)
            next += 1
        }
    }
}
