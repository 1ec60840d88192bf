import Generation
import Learning
import Models
import Pipelines

extension MemoryNeed {
    /// Bytes of a prepared problem with its texts and tokens, about.
    private static let problem = 3072.0
    /// Bytes of a sampled token with its log-probability, version and mask.
    static let sampledToken = 24.0
    /// Completions that an engine runs at once in evaluation.
    static let evaluationBatch = 64
    /// Part of a prepared problem that was there when its file was read: its texts. Measured on GSM8K's rows, all kept: reading
    /// took 54 MiB, the problems count 102 MiB, and together they took 107 MiB.
    private static let readPartOfProblem = 0.5
    /// What reading leaves of its memory however little it took, and beside that of all it took: other threads do not take it up
    /// again. Measured where reading took 54 MiB and next to nothing was kept: the run's later peak was 32 MiB higher.
    private static let leastLeftOfReading = 10.0 * 1024 * 1024
    private static let leftPartOfReading = 0.5
    /// Code, libraries' tables and what they keep, about.
    public static let program = 40.0 * 1024 * 1024

    /// Of problems that are made on the spot, before any model is there.
    init(problemsOf configuration: RunConfiguration) {
        self.init()
        let task = configuration.task
        if task.kind == .quantityGraphs {
            add(
                Double(task.trainingProblems) * Self.problem,
                .key("task.trainingProblems", value: "\(task.trainingProblems)"),
                name: "training problems")
            add(
                2 * Double(task.testProblems) * Self.problem, .key("task.testProblems", value: "\(task.testProblems)"),
                name: "test problems")
        }
    }

    /// Of a run in the phase that takes most: weights, moments and gradients of the learner, published versions, the workers'
    /// keys and values, batches, and a checkpoint in the making or an evaluation.
    init(_ configuration: RunConfiguration, model: ModelConfiguration, lengths: SequenceLengths) {
        self.init(problemsOf: configuration)
        let threads = configuration.threads == 0 ? ProcessorCores.available.count : configuration.threads
        add(Self.program, .key("threads", value: "\(threads)"), name: "the program")
        if configuration.task.kind != .quantityGraphs {
            add(
                Double(lengths.problems) * Self.problem,
                .key("task.trainingProblems", value: "\(configuration.task.trainingProblems)"), name: "problems")
        }
        let phases = ([.base] + configuration.arms.map { RunPhase($0) }).flatMap { phase in
            [true, false].map { isEvaluating in
                var need = MemoryNeed()
                need.add(
                    phase, configuration, model: model, lengths: lengths, threads: threads, isEvaluating: isEvaluating)
                return need
            }
        }
        // Sizes beyond counting come first of their equals.
        var largest = MemoryNeed()
        for need in phases where need.bytes > largest.bytes { largest = need }
        for part in largest.parts { add(part.bytes, part.cause, name: part.name) }
        addReading(configuration, lengths)
    }

    /// What is left of the memory that reading the task's files took, or all of it where that is more than all that follows.
    private mutating func addReading(_ configuration: RunConfiguration, _ lengths: SequenceLengths) {
        guard lengths.readingBytes > 0 else { return }
        let kept = Double(lengths.problems) * Self.problem
        let passing = max(0, lengths.readingBytes - Self.readPartOfProblem * kept)
        let left = min(passing, Self.leastLeftOfReading + Self.leftPartOfReading * passing)
        add(
            max(left, Self.program + lengths.readingBytes - bytes),
            .key("task.training", value: configuration.task.training ?? ""), name: "reading the task's files")
    }

    private mutating func add(
        _ phase: RunPhase, _ configuration: RunConfiguration, model: ModelConfiguration, lengths: SequenceLengths,
        threads: Int, isEvaluating: Bool
    ) {
        let adapters = configuration.adapters(of: phase)
        let memory = ModelMemory(model, activations: configuration.learner.activations, adapters: adapters)
        let largest = Self.cause(configuration, model, memory.largestField.name, memory.largestField.value)
        // The student as it came, the base student that arms start from, and the copy under training.
        let copies = 1 + (phase == .base ? 0.0 : 1) + (adapters == nil ? 1 : 0)
        add(copies * memory.parameters, largest, name: "weights")
        add(
            memory.rotaryTable(positions: lengths.positions ?? model.maxPositions),
            Self.cause(configuration, model, "max_position_embeddings", model.maxPositions), name: "rotary table")
        let engines = Generator.engines(threads: threads, configuration: model)
        guard !isEvaluating else {
            // The learner is gone by then, and with it all but the last version.
            add(memory.policyWeights, largest, name: "published versions")
            addEvaluation(
                memory,
                lengths.evaluation(imitatingTeacher: phase == .sft, problems: configuration.task.testProblems),
                engines: engines, threads: threads, samples: configuration.evaluation.samples,
                cause: .key("evaluation.samples", value: "\(configuration.evaluation.samples)"))
            return
        }
        let reference = phase.isReinforcement && configuration.reinforcement.referenceWeight != 0
        add((reference ? 3 : 2) * memory.policyWeights, largest, name: "published versions")
        add(memory.optimizer, largest, name: "moments, sum of gradients")
        add(memory.inputGradients, largest, name: "panels for input gradients")
        add(memory.parameters + (adapters == nil ? 2 : 3) * memory.trained, largest, name: "a checkpoint's copies")
        let batch = Self.microBatch(phase, configuration, lengths)
        if batch.passes > 0 {
            let pass = memory.gradient(
                rows: batch.rows, targets: batch.targets, longest: Double(batch.longest))
            add(pass, largest, name: "a learner's pass")
            let others = min(threads, batch.passes) - 1
            add(Double(others) * pass, .key("threads", value: "\(threads)"), name: "the other threads' passes")
        }
        switch phase {
        case .base: addDemonstrations(configuration.warmup, "warmup", lengths.warmup)
        case .sft: addDemonstrations(configuration.sft, "sft", lengths.traced)
        case .grpo, .rlkd: addRollouts(configuration, memory, lengths, engines: engines, threads: threads)
        }
    }

    /// The largest micro-batch of a phase, whatever the lengths of what comes together.
    private struct LargestMicroBatch {
        var rows: Double
        var targets: Double
        /// Of its sequences.
        var longest: Int
        /// Micro-batches of an update at most, which threads work on at once; none where no update is made.
        var passes: Int
    }

    private static func microBatch(
        _ phase: RunPhase, _ configuration: RunConfiguration, _ lengths: SequenceLengths
    ) -> LargestMicroBatch {
        func imitation(_ settings: ImitationConfiguration, _ demonstrations: DemonstrationLengths) -> LargestMicroBatch
        {
            let rows = Double(
                LearnerConfiguration.largestMicroBatch(
                    demonstrations: settings.batchSize, lengths: 1...demonstrations.longest))
            return LargestMicroBatch(
                rows: rows, targets: rows * demonstrations.tracePart, longest: demonstrations.longest,
                passes: settings.steps == 0
                    ? 0
                    : LearnerConfiguration.microBatches(
                        demonstrationRows: settings.batchSize * demonstrations.longest))
        }
        switch phase {
        case .base: return imitation(configuration.warmup, lengths.warmup)
        case .sft: return imitation(configuration.sft, lengths.traced)
        case .grpo, .rlkd:
            let reinforcement = configuration.reinforcement
            let targets = LearnerConfiguration.largestMicroBatch(
                rollouts: reinforcement.groupSize, lengths: 1...lengths.completion)
            return LargestMicroBatch(
                rows: Double(targets + lengths.prompt), targets: Double(targets),
                longest: lengths.prompt + lengths.completion,
                passes: configuration.steps == 0
                    ? 0
                    : LearnerConfiguration.microBatches(
                        groups: reinforcement.problemsPerBatch, rows: reinforcement.groupSize * lengths.completion))
        }
    }

    /// Batches of demonstrations that are there at once: in the queue, in the making, and in the learner's hands, of which that one
    /// also has them as micro-batches.
    private mutating func addDemonstrations(
        _ settings: ImitationConfiguration, _ key: String, _ lengths: DemonstrationLengths
    ) {
        let batches = min(settings.steps, ImitationPhase.queueCapacity + 2)
        let perDemonstration =
            Double(batches) * lengths.meanBytes + (batches > 0 ? lengths.meanMicroBatchBytes : 0)
        add(
            Double(settings.batchSize) * perDemonstration,
            .key("\(key).batchSize", value: "\(settings.batchSize)"), name: "demonstrations")
    }

    private mutating func addRollouts(
        _ configuration: RunConfiguration, _ memory: ModelMemory, _ lengths: SequenceLengths, engines: Int,
        threads: Int
    ) {
        let workerCount = configuration.workers == 0 ? engines : configuration.workers
        let workers = Double(workerCount)
        let reinforcement = configuration.reinforcement
        let completions = Double(reinforcement.problemsPerBatch) * Double(reinforcement.groupSize)
        let size = reinforcement.problemsPerBatch >= reinforcement.groupSize ? "problemsPerBatch" : "groupSize"
        let value = max(reinforcement.problemsPerBatch, reinforcement.groupSize)
        let cause = MemoryCause.key("reinforcement.\(size)", value: "\(value)")
        let batch = (completions / workers).rounded(.up)
        // Pages that no prompt and no completion reaches are never touched; a group has its prompt once.
        let prompts = (batch / Double(reinforcement.groupSize)).rounded(.up) * Double(lengths.prompt)
        add(
            workers
                * memory.generator(
                    batch: batch, longest: Double(lengths.longest),
                    positions: prompts + batch * Double(lengths.completion + 16),
                    threads: Generator.threadsSharing(engines: workerCount, threads: threads)), cause,
            name: "rollout workers")
        // Batches in the queues and in the learner's hands.
        add(4 * completions * Double(lengths.completion) * Self.sampledToken, cause, name: "rollouts")
    }

    private static func cause(
        _ configuration: RunConfiguration, _ model: ModelConfiguration, _ field: String, _ value: Int
    ) -> MemoryCause {
        guard let folder = configuration.student.model else {
            return .key(StudentConfiguration.key(ofField: field), value: "\(value)")
        }
        return .field(field, of: folder + "/config.json", value: "\(value)")
    }

    /// Of an evaluation, apart from the weights.
    ///
    /// - Parameter sets: prompts of each test set with the most tokens of their completions.
    mutating func addEvaluation(
        _ memory: ModelMemory, _ sets: [[(prompt: Int, newTokens: Int)]], engines: Int, threads: Int, samples: Int,
        cause: MemoryCause
    ) {
        let needs = sets.map { set in
            let generators = (0..<engines).map { engine in
                let part = stride(from: engine, to: set.count, by: engines).map { set[$0] }
                return memory.evaluation(
                    of: part, samples: samples, batch: Self.evaluationBatch,
                    threads: Generator.threadsSharing(engines: engines, threads: threads))
            }
            let tokens = set.reduce(0.0) { $0 + Double($1.newTokens) }
            return (generators: generators.reduce(0, +), tokens: Double(samples + 1) * tokens * Self.sampledToken)
        }
        guard let largest = needs.max(by: { $0.generators + $0.tokens < $1.generators + $1.tokens }) else { return }
        add(largest.generators, .key("threads", value: "\(threads)"), name: "evaluation")
        add(largest.tokens, cause, name: "completions of an evaluation")
    }
}

extension ModelMemory {
    /// An engine's generator in an evaluation of so many samples of each problem beside a greedy completion.
    fileprivate func evaluation(
        of problems: [(prompt: Int, newTokens: Int)], samples: Int, batch: Int, threads: Int
    ) -> Double {
        let capacity = min(Double(batch), Double(problems.count) * (Double(samples) + 1))
        let running = RunningSequences(
            problems.flatMap { problem in
                // More than run at once are not told apart.
                [1, min(samples, batch)].map {
                    RunningSequences.Request(prompt: problem.prompt, newTokens: problem.newTokens, samples: $0)
                }
            }, batch: batch)
        // The pages that there are bound both together.
        let all = (capacity + 1) * Double(running.longest)
        return generator(
            batch: capacity, longest: Double(running.longest),
            positions: min(all, Double(running.positions + running.waiting)), threads: threads)
    }
}

/// Tokens of demonstrations.
struct DemonstrationLengths: Sendable {
    /// What an array takes beside its elements: its header, and what the allocator rounds up, in the mean.
    private static let arrayBytes = 48.0
    /// A prompt's and a trace's token in a batch: its number; in a micro-batch: that, its position, and of the trace's tokens the
    /// target with its weight.
    private static let tokenBytes = Double(MemoryLayout<Int32>.stride)
    private static let rowBytes = 2 * tokenBytes
    private static let targetBytes = Double(MemoryLayout<TrainingBatch.Target>.stride + MemoryLayout<Float>.stride)
    /// Arrays that grow token by token double, so that a quarter of one is empty in the mean.
    private static let growth = 4.0 / 3

    /// Of a prompt with its trace.
    var longest: Int
    private var meanTokens: Double
    private var meanTrace: Double
    /// The largest part of a demonstration's rows that its trace takes.
    var tracePart: Double

    /// Where nothing else is known.
    init(longest: Int) {
        self.longest = longest
        (meanTokens, meanTrace, tracePart) = (Double(longest), Double(longest), 1)
    }

    /// Nil of none.
    init?(_ demonstrations: [Demonstration]) {
        guard !demonstrations.isEmpty else { return nil }
        let count = Double(demonstrations.count)
        longest = demonstrations.map { $0.prompt.count + $0.completion.count }.max() ?? 1
        meanTokens = demonstrations.reduce(0) { $0 + Double($1.prompt.count + $1.completion.count) } / count
        meanTrace = demonstrations.reduce(0) { $0 + Double($1.completion.count) } / count
        // The last token has no row.
        tracePart =
            demonstrations.map {
                Double($0.completion.count) / Double(max(1, $0.prompt.count + $0.completion.count - 1))
            }.max() ?? 1
    }

    /// Of one in a batch, in the mean.
    var meanBytes: Double {
        Double(MemoryLayout<Demonstration>.stride) + 2 * Self.arrayBytes + Self.tokenBytes * meanTokens
    }

    /// Of one as rows of a micro-batch, in the mean.
    var meanMicroBatchBytes: Double { Self.growth * (Self.rowBytes * meanTokens + Self.targetBytes * meanTrace) }
}

/// Tokens of the longest of a run's sequences, and how many there are.
struct SequenceLengths: Sendable {
    /// Of any prompt with its completion.
    var longest: Int
    /// Of all sets together.
    var problems = 0
    /// That reading the task's files took.
    var readingBytes = 0.0
    /// Of each test set, a prompt and where its completion is cut in the student's notation and in the teacher's.
    private var tests: [[(prompt: Int, newTokens: Int, teacherTokens: Int)]]?
    /// That any pass reaches; nil where that is not known.
    var positions: Int?
    /// Of training: a prompt, and a completion.
    var prompt: Int
    var completion: Int
    /// Of what the warm-up imitates, and of the training problems' traces.
    var warmup: DemonstrationLengths
    var traced: DemonstrationLengths

    /// Where nothing else is known.
    init(longest: Int) {
        self.longest = longest
        (prompt, completion) = (longest, longest)
        warmup = DemonstrationLengths(longest: longest)
        traced = warmup
    }

    /// - Parameter warmup: some demonstrations of the warm-up; the training problems' own by default.
    init(
        longest: Int, training: [PreparedProblem], tests sets: [TestSet], warmup demonstrations: [Demonstration] = []
    ) {
        self.longest = longest
        problems = training.count + sets.reduce(0) { $0 + $1.problems.count }
        tests = sets.map { set in set.problems.map { ($0.prompt.count, $0.maxNewTokens, $0.maxNewTeacherTokens) } }
        prompt = training.map(\.prompt.count).max() ?? 1
        completion = training.map(\.maxNewTokens).max() ?? 1
        traced = DemonstrationLengths(training.compactMap(\.demonstration)) ?? DemonstrationLengths(longest: longest)
        warmup = DemonstrationLengths(demonstrations) ?? traced
    }

    /// The test sets' prompts with the most tokens of a completion.
    ///
    /// - Parameter problems: of a set, where the sets are not known.
    func evaluation(imitatingTeacher: Bool, problems: Int) -> [[(prompt: Int, newTokens: Int)]] {
        tests?.map { set in
            set.map { ($0.prompt, imitatingTeacher ? $0.teacherTokens : $0.newTokens) }
        } ?? [Array(repeating: (1, max(1, longest - 1)), count: problems)]
    }
}

extension RunPhase {
    var isReinforcement: Bool { self == .grpo || self == .rlkd }
}
