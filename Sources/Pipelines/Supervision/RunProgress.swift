import Synchronization

/// What has become of the stages of a run.
final class RunProgress: Sendable {
    private enum Status {
        case running
        case ended
        case failed(any Error)
    }

    private struct State {
        var stages: [Status]
        var firstFailure: Int?
        /// An error of the run itself, of no stage.
        var failure: (any Error)?
        var signals = 0
        /// Whether a stage ended in a cancelled task.
        var isCancelled = false
    }

    private let state: Mutex<State>

    init(stages: Int) {
        state = Mutex(State(stages: Array(repeating: .running, count: stages)))
    }

    /// Counts a signal; true for the first.
    func interrupt() -> Bool {
        state.withLock { state in
            state.signals += 1
            return state.signals == 1
        }
    }

    func fail(_ error: any Error) {
        state.withLock { $0.failure = $0.failure ?? error }
    }

    /// Records that a stage ended. True if the rest of the run is to be shut down: a stage before it still runs, or none does.
    func end(_ index: Int, _ error: (any Error)?, isCancelled: Bool) -> Bool {
        state.withLock { state in
            state.isCancelled = state.isCancelled || isCancelled
            switch error {
            case nil, is QueueClosed:
                state.stages[index] = .ended
            case is CancellationError where isCancelled:
                state.stages[index] = .ended
            case .some(let error):
                state.stages[index] = .failed(error)
                state.firstFailure = state.firstFailure ?? index
            }
            let isRunning = state.stages.map { status in
                if case .running = status { true } else { false }
            }
            return isRunning[..<index].contains(true) || !isRunning.contains(true)
        }
    }

    func ending(of stages: [SupervisedStage]) -> RunEnding {
        state.withLock { state in
            if let index = state.firstFailure, case .failed(let error) = state.stages[index] {
                return .failed(stage: stages[index].stage, error: error)
            }
            // The group's own complaints about a cancellation say nothing more.
            if let error = state.failure, !state.isCancelled {
                return .failed(stage: stages[0].stage, error: error)
            }
            if state.isCancelled || state.signals > 0 {
                return .interrupted(drained: !state.isCancelled)
            }
            return .finished
        }
    }
}
