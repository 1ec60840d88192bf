/// One lane of a `ComputeExecutor`: a task executor over all of its threads, whose jobs have one class and are charged to one
/// stage.
public final class ComputeLane: TaskExecutor {
    public let lane: Lane
    /// The stage that the jobs' time is charged to.
    public let stage: Stage
    private unowned let core: ComputeCore

    init(lane: Lane, stage: Stage, core: ComputeCore) {
        self.lane = lane
        self.stage = stage
        self.core = core
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        core.enqueue(
            ComputeCore.Job(
                job: UnownedJob(job), executor: asUnownedTaskExecutor(), code: WorkerClock.code(stage, .other)),
            lane: lane)
    }

    /// Runs `body` as one job of this lane, from wherever the caller is.
    public func run<Result: Sendable, Failure: Error>(
        _ body: @Sendable () throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await withTaskExecutorPreference(self) { () async throws(Failure) -> Result in
            try body()
        }
    }

    /// `ComputeExecutor.concurrentPerform(tiles:lane:_:)` with this lane's class.
    public func concurrentPerform(tiles: Int, _ body: (Int) -> Void) {
        core.concurrentPerform(tiles: tiles, lane: lane, code: WorkerClock.code(stage, .other), body)
    }
}
