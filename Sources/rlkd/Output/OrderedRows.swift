import Foundation

/// Puts rows out in the order of their input, whatever order they are done in.
actor OrderedRows {
    typealias Sink = @Sendable (Data) throws -> Void

    private let sink: Sink
    private var waiting: [Int: Data] = [:]
    private var next = 0
    private var failure: (any Error)?

    init(sink: @escaping Sink = { try StandardOutput.write($0) }) {
        self.sink = sink
    }

    /// Takes what input row `index` (from 0) gave: one line, or several.
    ///
    /// - Throws: what the sink throws, and from then on at every call: nobody works on for a reader that has gone.
    func put(_ lines: Data, at index: Int) throws {
        if let failure { throw failure }
        waiting[index] = lines
        while let ready = waiting.removeValue(forKey: next) {
            do {
                try sink(ready)
            } catch {
                failure = error
                throw error
            }
            next += 1
        }
    }
}
