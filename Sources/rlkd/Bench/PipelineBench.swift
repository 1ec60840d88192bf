import Generation
import Learning
import Models
import Pipelines
import Rollouts
import ServiceLifecycle
import Synchronization
import Tasks
import Training
import Trajectories

/// GRPO from end to end on random prompts: the stages and queues of a run, but for the scoring, which costs nothing.
struct PipelineBench: Sendable {
    private static let queueCapacity = 4

    var parameters: Parameters
    /// Of an update.
    var problems: Int
    /// Of a problem.
    var samples: Int
    /// Tokens of a prompt, and of a completion.
    var prompt: Int
    var new: Int
    var maxStaleness: Int
    /// Updates that are timed; one before them touches all memory.
    var updates: Int

    func measure(on executor: ComputeExecutor) async throws -> BenchResult {
        let store = PolicyStore(PolicyWeights(parameters))
        let requests = BoundedQueue<RolloutRequest>(
            name: "requests", capacity: Self.queueCapacity, producer: .problemSource, consumer: .rollout,
            clock: executor.clock)
        let rollouts = BoundedQueue<RolloutGroup>(
            name: "rollouts", capacity: Self.queueCapacity, producer: .rollout, consumer: .scoring,
            clock: executor.clock)
        let scored = BoundedQueue<ScoredGroup>(
            name: "scored", capacity: Self.queueCapacity, producer: .scoring, consumer: .learning,
            clock: executor.clock)
        let instants = UpdateInstants()
        let supervisor = StageSupervisor(stages: [
            SupervisedStage(
                .problemSource, service: source(store, requests), outputs: [requests],
                executor: executor.lane(for: .problemSource)),
            SupervisedStage(
                .rollout, service: rolloutStage(store, executor, requests, rollouts), inputs: [requests],
                outputs: [rollouts], executor: executor.lane(.rollout)),
            SupervisedStage(
                .scoring, service: FreeScoring(input: rollouts, output: scored), inputs: [rollouts],
                outputs: [scored], executor: executor.lane(.scoring)),
            SupervisedStage(
                .learning, service: learningStage(store, executor, scored, instants), inputs: [scored],
                executor: executor.lane(.learner)),
        ])
        switch await supervisor.run() {
        case .failed(_, let error): throw error
        case .finished where instants.count == updates + 1: break
        default: throw CancellationError()
        }
        let tokens = problems * samples * new
        let rate = Double(tokens * updates) / instants.seconds
        return BenchResult(
            name: "grpo", tokensPerSecond: rate, gigaflops: operationsPerUpdate / Double(tokens) * rate * 1e-9)
    }

    /// Generation, of prompts up to their last tokens' logits, and training, three times a whole forward pass; a group's prompt
    /// once in each.
    private var operationsPerUpdate: Double {
        let count = OperationCount(configuration: parameters.configuration)
        let prompts =
            Double(problems) * count.prefill(prompt)
            + count.training(rows: problems * prompt, logits: problems, context: Double(prompt + 1) / 2)
        let completions = count.forward(
            rows: problems * samples * new, logits: problems * samples * new,
            context: Double(prompt) + Double(new) / 2)
        return prompts + 4 * completions
    }

    private func source(_ store: PolicyStore, _ requests: BoundedQueue<RolloutRequest>) -> ProblemSource {
        ProblemSource(
            ordinals: 0..<(updates + 1) * problems, output: requests,
            gate: { [problems, maxStaleness] ordinal in
                try await store.wait(for: PolicyVersion(ordinal / problems - maxStaleness))
            },
            request: { [new] ordinal in
                RolloutRequest(
                    ordinal: ordinal, problem: Problem(id: "\(ordinal)", question: "", answer: nil), visit: 0,
                    maxNewTokens: new)
            })
    }

    private func rolloutStage(
        _ store: PolicyStore, _ executor: ComputeExecutor, _ requests: BoundedQueue<RolloutRequest>,
        _ output: BoundedQueue<RolloutGroup>
    ) -> RolloutStage {
        let workers = Generator.engines(
            threads: executor.threads, completions: problems * samples, requests: problems,
            configuration: parameters.configuration)
        return RolloutStage(
            configuration: RolloutConfiguration(
                groupSize: samples, sampling: .init(), seed: 1, endTokens: [], workers: workers,
                batchCapacity: (problems * samples + workers - 1) / workers, longestSequence: prompt + new,
                threads: Generator.threadsSharing(engines: workers, threads: executor.threads)),
            store: store, lane: executor.lane(.rollout), clock: executor.clock, text: { _ in "" },
            prompt: { [prompt, vocabularySize = parameters.configuration.vocabularySize] request in
                RandomTokens.draw(prompt, vocabularySize: vocabularySize, row: request.ordinal)
            },
            requests: requests, output: output)
    }

    private func learningStage(
        _ store: PolicyStore, _ executor: ComputeExecutor, _ input: BoundedQueue<ScoredGroup>,
        _ instants: UpdateInstants
    ) -> LearningStage {
        let learner = Learner(
            parameters: parameters, version: PolicyVersion(0),
            configuration: LearnerBench.configuration(), store: store, lane: executor.lane(.learner),
            threads: executor.threads, cores: executor.threads)
        return LearningStage(
            learner: learner, lane: executor.lane(.learner), clock: executor.clock, input: input,
            groupsPerBatch: problems, firstBatch: 0, batches: updates + 1, maxStaleness: maxStaleness,
            observer: { _, _ in instants.add() })
    }
}

/// When updates were made.
private final class UpdateInstants: Sendable {
    private let instants = Mutex<[ContinuousClock.Instant]>([])

    func add() {
        instants.withLock { $0.append(.now) }
    }

    var count: Int { instants.withLock { $0.count } }

    /// From the first update to the last.
    var seconds: Double {
        instants.withLock { instants in
            guard let first = instants.first, let last = instants.last else { return 0 }
            return (last - first).seconds
        }
    }
}

/// Rewards that differ within a group and cost nothing.
private struct FreeScoring: Service {
    let input: BoundedQueue<RolloutGroup>
    let output: BoundedQueue<ScoredGroup>

    func run() async throws {
        defer { output.close() }
        while let group = try await input.receive() {
            let rollouts = group.rollouts.map { rollout in
                ScoredRollout(rollout: rollout, reward: Reward(total: Double(rollout.sample % 5), terms: []))
            }
            try await output.send(ScoredGroup(request: group.request, rollouts: rollouts))
        }
    }
}
