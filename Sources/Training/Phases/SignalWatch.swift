import Synchronization

/// The signals of a run, from its first moment to its last: the first asks it to finish what is in flight and stop, the second
/// cancels. Whoever looks or listens late still learns of those that came before.
final class SignalWatch: Sendable {
    private struct State {
        var count = 0
        var listeners: [Int: AsyncStream<Int>.Continuation] = [:]
        var nextListener = 0
    }

    private let state = Mutex(State())

    func receive() {
        state.withLock { state in
            state.count += 1
            for listener in state.listeners.values { listener.yield(state.count) }
        }
    }

    /// Whether the run is to go no further than what it is at.
    var isStopping: Bool { state.withLock { $0.count > 0 } }

    /// Every signal, those that have come included, numbered from 1.
    var signals: AsyncStream<Int> {
        let (stream, listener) = AsyncStream.makeStream(of: Int.self)
        state.withLock { state in
            let number = state.nextListener
            state.nextListener += 1
            state.listeners[number] = listener
            for signal in 0..<state.count { listener.yield(signal + 1) }
            listener.onTermination = { [weak self] _ in
                self?.forget(number)
            }
        }
        return stream
    }

    private func forget(_ listener: Int) {
        _ = state.withLock { $0.listeners.removeValue(forKey: listener) }
    }

    private enum Event<Result: Sendable>: Sendable {
        case done(Result)
        case cancelled
    }

    /// Runs `work`, which the second signal cancels.
    ///
    /// - Returns: nil when it was cancelled so.
    func cancelling<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) async throws -> Result? {
        // Work that would be cancelled at once is not begun.
        guard state.withLock({ $0.count < 2 }) else { return nil }
        let signals = signals
        return try await withThrowingTaskGroup(of: Event<Result>.self) { group in
            group.addTask { .done(try await work()) }
            group.addTask {
                for await signal in signals where signal > 1 { return .cancelled }
                // The stream ends when the work has, and the group is cancelled.
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
