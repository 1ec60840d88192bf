import Generation
import Learning
import Logging
import Models
import Pipelines
import Rollouts
import ServiceLifecycle
import StructureRewards
import Synchronization
import Tasks
import Tokenizers
import Trajectories

struct Fault: Error, Equatable {}

/// The real four stages on a small random model: what a training run wires, with everything in reach.
final class TestPipeline: Sendable {
    struct Settings: Sendable {
        var groupSize = 3
        var groupsPerBatch = 2
        var batches = 4
        var maxStaleness = 0
        var workers = 2
        var batchCapacity = 6
        var scoringWorkers = 2
        var learnerThreads = 2
        var capacity = 1
        var seed: UInt64 = 1
    }

    /// What the learner was given for one update, and the version it had.
    struct Lesson: Sendable {
        var version: PolicyVersion
        var update: UpdateMetrics
        var groups: [ScoredGroup]
    }

    let settings: Settings
    let tokenizer: Tokenizer
    let parameters: Parameters
    let store: PolicyStore
    let learner: Learner
    let requests: BoundedQueue<RolloutRequest>
    let rollouts: BoundedQueue<RolloutGroup>
    let scored: BoundedQueue<ScoredGroup>
    let waiting = WaitingGroups()
    /// Counts what is thrown away; no queue waits on it.
    let clock = StallClock(threads: 0)
    let problems: [Problem]
    private let record = Mutex<[Lesson]>([])

    /// - Parameter lanes: where the stages compute.
    init(
        _ settings: Settings = Settings(), lane: any TaskExecutor, change: (Parameters) -> Void = { _ in },
        problems: [Problem]? = nil
    ) throws {
        self.settings = settings
        tokenizer = try Tokenizer.closed(symbols: ["a", "b", "c", "d", "e", "f"], beginning: "<s>", end: "</s>")
        parameters = try Parameters.randomized(
            configuration: ModelConfiguration(
                hiddenSize: 16, intermediateSize: 24, layerCount: 1, attentionHeadCount: 2, keyValueHeadCount: 1,
                vocabularySize: tokenizer.vocabularySize, maxPositions: 40), seed: 5, deviation: 0.15)
        change(parameters)
        store = PolicyStore(PolicyWeights(parameters))
        learner = Learner(
            parameters: parameters, version: PolicyVersion(0),
            configuration: LearnerConfiguration(
                schedule: LearningRateSchedule(peak: 1e-2, warmupSteps: 0, totalSteps: 100, shape: .constant),
                microBatchRows: 12),
            store: store, lane: lane, threads: settings.learnerThreads, cores: settings.learnerThreads)
        requests = BoundedQueue(name: "requests", capacity: settings.capacity)
        rollouts = BoundedQueue(name: "rollouts", capacity: settings.capacity)
        scored = BoundedQueue(name: "scored", capacity: settings.capacity)
        self.problems =
            problems
            ?? (0..<5).map { index in
                Problem(
                    id: "p\(index)", question: String("abcdefabcdef".prefix(2 + 2 * index)), answer: "a",
                    traces: [TeacherTrace(text: "a", structure: Structure(steps: []))])
            }
    }

    var lessons: [Lesson] { record.withLock { $0 } }

    // MARK: Stages

    var source: ProblemSource {
        let (groups, staleness) = (settings.groupsPerBatch, settings.maxStaleness)
        let (store, problems) = (store, problems)
        return ProblemSource(
            ordinals: 0..<settings.batches * groups, output: requests,
            gate: { try await store.wait(for: PolicyVersion($0 / groups - staleness)) },
            request: { ordinal in
                RolloutRequest(
                    ordinal: ordinal, problem: problems[ordinal % problems.count], visit: ordinal / problems.count,
                    maxNewTokens: 4 + ordinal % 9)
            })
    }

    func generation(lane: any TaskExecutor) -> RolloutStage {
        RolloutStage(
            configuration: RolloutConfiguration(
                groupSize: settings.groupSize, sampling: SamplingParameters(), seed: settings.seed, endTokens: [1],
                workers: settings.workers, batchCapacity: settings.batchCapacity),
            store: store, lane: lane, clock: clock, text: { [tokenizer] in try tokenizer.text(ofCompletion: $0) },
            prompt: { [tokenizer] in try tokenizer.encode($0.problem.question, addSpecialTokens: true) },
            requests: requests, output: rollouts)
    }

    func scoring(lane: any TaskExecutor, decomposer: (any Decomposer)? = nil) -> ScoringStage {
        ScoringStage(
            scorer: Scorer(
                studentDecomposer: decomposer ?? RulesDecomposer(),
                composition: RewardComposition(
                    accuracy: nil, format: nil, tagCount: 1, structure: decomposer == nil ? nil : 1),
                verifier: LetterVerifier()),
            lane: lane, clock: clock, workers: settings.scoringWorkers, input: rollouts, output: scored)
    }

    func learning(
        lane: any TaskExecutor, then: @escaping @Sendable (Lesson) async throws -> Void = { _ in }
    ) -> LearningStage {
        LearningStage(
            learner: learner, lane: lane, clock: clock, input: scored, waiting: waiting,
            groupsPerBatch: settings.groupsPerBatch, firstBatch: 0, batches: settings.batches,
            maxStaleness: settings.maxStaleness,
            observer: { [self] update, groups in
                let lesson = Lesson(version: PolicyVersion(update.version.rawValue - 1), update: update, groups: groups)
                record.withLock { $0.append(lesson) }
                try await then(lesson)
            })
    }

    /// All stages as the supervisor takes them.
    func stages(
        on executor: ComputeExecutor, decomposer: (any Decomposer)? = nil,
        then: @escaping @Sendable (Lesson) async throws -> Void = { _ in }
    ) -> [SupervisedStage] {
        [
            SupervisedStage(
                .problemSource, service: source, outputs: [requests], executor: executor.lane(for: .problemSource)),
            SupervisedStage(
                .rollout, service: generation(lane: executor.lane(.rollout)), inputs: [requests], outputs: [rollouts],
                executor: executor.lane(.rollout)),
            SupervisedStage(
                .scoring, service: scoring(lane: executor.lane(.scoring), decomposer: decomposer), inputs: [rollouts],
                outputs: [scored], executor: executor.lane(.scoring)),
            SupervisedStage(
                .learning, service: learning(lane: executor.lane(.learner), then: then), inputs: [scored],
                executor: executor.lane(.learner)),
        ]
    }

    /// Runs all stages in an order that the executor's seed decides, to their ends.
    func run(on executor: EmbeddedExecutor) async throws {
        let services: [any Service] = [
            source, generation(lane: executor), scoring(lane: executor), learning(lane: executor),
        ]
        try await executor.drive {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for service in services {
                    group.addTask { try await service.run() }
                }
                for try await _ in group {}
            }
        }
    }

    var bits: [UInt32] { (0..<parameters.count).map { parameters.pointer[$0].bitPattern } }
}

extension EmbeddedExecutor {
    /// Runs `body` on this executor. Unlike `run`, it waits for a task that comes back from elsewhere.
    func drive<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask(executorPreference: self) { try await body() }
            group.addTask { [self] in
                try? await step { Task.isCancelled }
                return nil
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() ?? nil else { throw CancellationError() }
            return value
        }
    }

    /// Runs jobs until a condition holds.
    func step(until isMet: () -> Bool) async throws {
        while !isMet() {
            if !step() { try await Task.sleep(for: .microseconds(50)) }
        }
    }
}

/// Rewards the share of the letter a.
struct LetterVerifier: OutcomeVerifier {
    func isCorrect(_ text: String, for problem: Problem) -> Bool { text.contains("a") }
    func isWellFormed(_ text: String, for problem: Problem) -> Bool { true }
    func tagFraction(_ text: String, for problem: Problem) -> Double {
        text.isEmpty ? 0 : Double(text.count { $0 == "a" }) / Double(text.count)
    }
}

let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
