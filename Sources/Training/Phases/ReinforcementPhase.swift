import Generation
import Learning
import Models
import Pipelines
import Rollouts
import StructureRewards
import Tasks
import Tokenizers
import Trajectories

/// One reinforcement arm: the four stages, the queues between them and the bound on staleness.
///
///     problem source ─▶ [requests] ─▶ rollout ─▶ [rollouts] ─▶ scoring ─▶ [scored] ─▶ learning
///
/// **It never stands still.** Let v be the version and o the smallest ordinal that no update has consumed; o is of batch v, for
/// batches are consumed in order. The learner takes whatever comes, early groups too, so it never stops the queue before it;
/// then no scorer waits for room forever, nor a worker, nor the source at its queue (capacities are at least 1, and a worker
/// without work takes a request, however large its group is). The source sends in order, and waits only for version
/// p / batch − maxStaleness of the next ordinal p. If p ≤ o, that is at most v, and it goes on; otherwise o was sent, or waited in
/// a queue since the run was resumed, and reaches the learner. So do all groups of batch v, and version v + 1 comes.
///
/// **The bound holds.** A group of batch b enters under version b − maxStaleness at the least, and versions only grow: when
/// update b consumes it, none of its tokens is older. So early groups are of maxStaleness batches at most.
///
/// The premises are checked with the configuration: batch and capacities of at least 1, and no negative staleness.
struct ReinforcementPhase: Sendable {
    var configuration: ReinforcementConfiguration
    var maxStaleness: Int
    var workers: Int
    var seed: UInt64
    var learner: Learner
    var store: PolicyStore
    var executor: ComputeExecutor
    var tokenizer: Tokenizer
    var endTokens: [Int32]
    var problems: [PreparedProblem]
    /// Positions of the longest prompt with its completion.
    var longestSequence: Int
    var scorer: Scorer
    /// Updates to make, counted from the start of the arm; the store holds the version of the first.
    var steps: Range<Int>
    var observer: LearningStage.Observer

    /// What is between the stages.
    struct Queues: Sendable {
        var requests: BoundedQueue<RolloutRequest>
        var rollouts: BoundedQueue<RolloutGroup>
        var scored: BoundedQueue<ScoredGroup>
        let waiting = WaitingGroups()
        /// Groups that were in the queues from the start.
        let restored: Set<Int>

        /// - Parameter state: what waited when the run was left.
        init(capacity: Int, clock: StallClock, restoring state: PipelineState = PipelineState()) {
            restored = state.ordinals
            requests = BoundedQueue(
                name: "requests", capacity: capacity, producer: .problemSource, consumer: .rollout, clock: clock)
            rollouts = BoundedQueue(
                name: "rollouts", capacity: capacity, producer: .rollout, consumer: .scoring, clock: clock,
                restoring: state.unscored)
            scored = BoundedQueue(
                name: "scored", capacity: capacity, producer: .scoring, consumer: .learning, clock: clock,
                restoring: state.scored)
        }

        /// The finished work that no update has consumed. To be asked between two updates, or after the last.
        var unconsumed: PipelineState {
            // Upstream first: a group that moves on meanwhile is seen twice rather than not at all.
            let unscored = rollouts.snapshot()
            let scored = scored.snapshot()
            return PipelineState(scored: waiting.snapshot() + scored, unscored: unscored)
        }
    }

    /// Runs to the last update; the first signal drains it, the second cancels.
    func run(_ queues: Queues, signals: AsyncStream<Int>) async -> RunEnding {
        let groups = configuration.problemsPerBatch
        let rolloutConfiguration = RolloutConfiguration(
            groupSize: configuration.groupSize, sampling: configuration.sampling, seed: seed, endTokens: endTokens,
            workers: workers, batchCapacity: (groups * configuration.groupSize + workers - 1) / workers,
            longestSequence: longestSequence,
            threads: Generator.threadsSharing(
                engines: workers, threads: executor.threads, running: executor.running),
            running: executor.running)
        let supervisor = StageSupervisor(stages: [
            SupervisedStage(
                .problemSource, service: source(queues), outputs: [queues.requests],
                executor: executor.lane(for: .problemSource)),
            SupervisedStage(
                .rollout,
                service: RolloutStage(
                    configuration: rolloutConfiguration, store: store, lane: executor.lane(.rollout),
                    clock: executor.clock, text: { [tokenizer] in try tokenizer.text(ofCompletion: $0) },
                    prompt: prompts,
                    requests: queues.requests, output: queues.rollouts),
                inputs: [queues.requests], outputs: [queues.rollouts], executor: executor.lane(.rollout)),
            SupervisedStage(
                .scoring,
                service: ScoringStage(
                    scorer: scorer, lane: executor.lane(.scoring), clock: executor.clock, workers: executor.threads,
                    input: queues.rollouts, output: queues.scored),
                inputs: [queues.rollouts], outputs: [queues.scored], executor: executor.lane(.scoring)),
            SupervisedStage(
                .learning,
                service: LearningStage(
                    learner: learner, lane: executor.lane(.learner), clock: executor.clock, input: queues.scored,
                    waiting: queues.waiting, groupsPerBatch: groups,
                    firstBatch: steps.lowerBound, batches: steps.upperBound, maxStaleness: maxStaleness,
                    observer: observer),
                inputs: [queues.scored], executor: executor.lane(.learner)),
        ])
        return await supervisor.run(signals: signals)
    }

    /// The version that must be published before a group enters.
    static func requiredVersion(ordinal: Int, groupsPerBatch: Int, maxStaleness: Int) -> PolicyVersion {
        PolicyVersion(ordinal / groupsPerBatch - maxStaleness)
    }

    /// A group enters when the update that will consume it is at most `maxStaleness` versions ahead of the weights.
    private func source(_ queues: Queues) -> ProblemSource {
        let groups = configuration.problemsPerBatch
        let (store, clock, maxStaleness) = (store, executor.clock, maxStaleness)
        return ProblemSource(
            ordinals: (steps.lowerBound * groups..<steps.upperBound * groups).lazy.filter {
                [restored = queues.restored] in !restored.contains($0)
            },
            output: queues.requests,
            gate: { ordinal in
                let version = Self.requiredVersion(
                    ordinal: ordinal, groupsPerBatch: groups, maxStaleness: maxStaleness)
                guard store.version < version else { return }
                try await clock.waiting(.problemSource, for: .staleness) {
                    try await store.wait(for: version)
                }
            },
            request: Self.requests(problems, seed: seed))
    }

    /// The prompts as the task prepared them.
    private var prompts: @Sendable (RolloutRequest) -> [Int32] {
        let order = ProblemOrder(count: problems.count, seed: seed)
        return { [problems] in problems[order.problem(at: $0.ordinal).index].prompt }
    }

    /// What an arm asks for at each ordinal.
    static func requests(_ problems: [PreparedProblem], seed: UInt64) -> ProblemSource.Request {
        let order = ProblemOrder(count: problems.count, seed: seed)
        return { ordinal in
            let (index, visit) = order.problem(at: ordinal)
            return RolloutRequest(
                ordinal: ordinal, problem: problems[index].problem, visit: visit,
                maxNewTokens: problems[index].maxNewTokens)
        }
    }
}
