import Pipelines
import ServiceLifecycle
import Trajectories

/// The scoring stage: groups of rollouts in, scored groups out, several at a time.
public struct ScoringStage: Service {
    private let scorer: Scorer
    private let lane: any TaskExecutor
    private let clock: StallClock?
    private let workers: Int
    private let input: BoundedQueue<RolloutGroup>
    private let output: BoundedQueue<ScoredGroup>

    /// - Parameter clock: where work that is thrown away is counted.
    public init(
        scorer: Scorer, lane: any TaskExecutor, clock: StallClock? = nil, workers: Int,
        input: BoundedQueue<RolloutGroup>, output: BoundedQueue<ScoredGroup>
    ) {
        self.scorer = scorer
        self.lane = lane
        self.clock = clock
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
                        do {
                            try await output.send(try await scorer.score(rollouts))
                        } catch {
                            clock?.discard(rollouts.discarded, stage: .scoring, cause: .cutShort)
                            throw error
                        }
                    }
                }
            }
            // Unlike `waitForAll`, this cancels the other workers when one throws: they may wait for what never comes.
            for try await _ in group {}
        }
    }
}

extension RolloutGroup {
    /// The group as work that is thrown away.
    var discarded: DiscardedWork {
        DiscardedWork(groups: 1, rollouts: rollouts.count, tokens: rollouts.reduce(0) { $0 + $1.tokens.count })
    }
}
