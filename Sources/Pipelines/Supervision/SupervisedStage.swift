import ServiceLifecycle

/// A stage as its supervisor sees it: a service, the queues that it stands between, and where it computes.
public struct SupervisedStage: Sendable {
    public var stage: Stage
    public var service: any Service
    /// The queues that it receives from.
    public var inputs: [any ClosableQueue]
    /// The queues that it sends to.
    public var outputs: [any ClosableQueue]
    /// What the stage's tasks run on; nil for the cooperative pool, for a stage that only waits.
    public var executor: (any TaskExecutor)?

    /// - Parameters:
    ///   - inputs: closed when the stage ends, so that the stages before it find out.
    ///   - outputs: closed when the stage ends, so that the stages after it drain and end too.
    public init(
        _ stage: Stage, service: any Service, inputs: [any ClosableQueue] = [], outputs: [any ClosableQueue] = [],
        executor: (any TaskExecutor)? = nil
    ) {
        self.stage = stage
        self.service = service
        self.inputs = inputs
        self.outputs = outputs
        self.executor = executor
    }
}

/// How a run ended.
public enum RunEnding: Sendable {
    /// Every stage returned of its own accord.
    case finished
    /// A signal stopped the run. `drained` says that everything in flight was worked off; otherwise a second signal
    /// cancelled the stages, and what was queued is still in the queues' snapshots.
    case interrupted(drained: Bool)
    /// A stage threw; the others were drained, or cancelled by a signal.
    case failed(stage: Stage, error: any Error)
}
