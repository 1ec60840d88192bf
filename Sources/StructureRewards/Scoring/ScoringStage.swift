import Pipelines
import ServiceLifecycle
import Trajectories

/// The scoring stage: groups of rollouts in, scored groups out, several at a time.
public struct ScoringStage: Service {
    private let scorer: Scorer
    private let lane: any TaskExecutor
    private let workers: Int
    private let input: BoundedQueue<RolloutGroup>
    private let output: BoundedQueue<ScoredGroup>

    public init(
        scorer: Scorer, lane: any TaskExecutor, workers: Int, input: BoundedQueue<RolloutGroup>,
        output: BoundedQueue<ScoredGroup>
    ) {
        self.scorer = scorer
        self.lane = lane
        self.workers = workers
        self.input = input
        self.output = output
    }

    /// Returns when the input is drained.
    public func run() async throws {
        defer { output.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, workers) {
                group.addTask(executorPreference: lane) {
                    while let rollouts = try await input.receive() {
                        try await output.send(try await scorer.score(rollouts))
                    }
                }
            }
            // Unlike `waitForAll`, this cancels the other workers when one throws: they may wait for what never comes.
            for try await _ in group {}
        }
    }
}
