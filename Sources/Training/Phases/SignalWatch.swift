import Pipelines
import UnixSignals

/// Runs work that SIGINT and SIGTERM can end.
enum SignalWatch {
    private enum Event<Result: Sendable>: Sendable {
        case done(Result)
        case cancelled
    }

    /// Runs `work` with the signals trapped.
    ///
    /// - Parameter cancels: asked at every signal, which it gets the number of, from 1: whether the work is to be cancelled.
    /// - Returns: nil when a signal cancelled the work.
    static func run<Result: Sendable>(
        cancels: @escaping @Sendable (_ signal: Int) -> Bool, _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result? {
        try await withThrowingTaskGroup(of: Event<Result>.self) { group in
            group.addTask { .done(try await work()) }
            group.addTask {
                var signals = 0
                for await _ in await UnixSignalsSequence(trapping: StageSupervisor.signals) {
                    signals += 1
                    if cancels(signals) { return .cancelled }
                }
                // The sequence ends when the work has, and the group is cancelled.
                throw CancellationError()
            }
            defer { group.cancelAll() }
            switch try await group.next() {
            case .done(let result): return result
            case .cancelled, nil: break
            }
            group.cancelAll()
            do {
                if case .done(let result) = try await group.next() { return result }
            } catch is CancellationError {}
            return nil
        }
    }
}
