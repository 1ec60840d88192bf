import Synchronization
import Trajectories

/// The published weights, one version at a time: the learner writes a free buffer and publishes a reference, workers take
/// the newest between decode steps. Nobody copies weights, nobody pauses.
public final class PolicyStore: Sendable {
    private struct State {
        var current: PolicyWeights
        var spares: [PolicyWeights] = []
        var waiters: [Waiter] = []
        var nextWaiter = 0
    }

    private struct Waiter {
        var identifier: Int
        var version: PolicyVersion
        var continuation: CheckedContinuation<Void, any Error>
    }

    private let state: Mutex<State>

    public init(_ weights: PolicyWeights) {
        state = Mutex(State(current: weights))
    }

    /// The newest weights. A caller that holds on to them keeps their buffer alive.
    public var current: PolicyWeights {
        state.withLock { $0.current }
    }

    public var version: PolicyVersion { current.version }

    /// Packs `parameters`, with the adapters merged in, into a buffer that no one reads any more (or a new one) and makes it
    /// the current version.
    ///
    /// - Parameter perform: see `PolicyWeights.write`.
    public func publish(
        _ parameters: Parameters, adapters: Adapters? = nil, version: PolicyVersion, perform: WeightLoop = runInTurn
    ) {
        let buffer = takeSpare()
        buffer.write(parameters, adapters: adapters, version: version, perform: perform)
        let ready = state.withLock { state in
            state.spares.append(state.current)
            state.current = buffer
            let ready = state.waiters.filter { $0.version <= version }
            state.waiters.removeAll { $0.version <= version }
            return ready
        }
        for waiter in ready {
            waiter.continuation.resume()
        }
    }

    /// Returns once `version` or a later one is published.
    ///
    /// - Throws: `CancellationError` when the waiting task is cancelled.
    public func wait(for version: PolicyVersion) async throws {
        try Task.checkCancellation()
        let identifier = state.withLock { state in
            defer { state.nextWaiter += 1 }
            return state.nextWaiter
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let decided: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.current.version >= version { return .success(()) }
                    state.waiters.append(
                        Waiter(identifier: identifier, version: version, continuation: continuation))
                    return nil
                }
                if let decided { continuation.resume(with: decided) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiters.firstIndex(where: { $0.identifier == identifier }) else { return nil }
                return state.waiters.remove(at: index)
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// A buffer whose only reference is the one returned.
    private func takeSpare() -> PolicyWeights {
        let (spare, template) = state.withLock { state -> (PolicyWeights?, PolicyWeights) in
            for index in state.spares.indices where isKnownUniquelyReferenced(&state.spares[index]) {
                return (state.spares.remove(at: index), state.current)
            }
            return (nil, state.current)
        }
        return spare ?? PolicyWeights(configuration: template.configuration, rotary: template.rotary)
    }
}
