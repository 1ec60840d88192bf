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
        let reference = phase.isReinforcement && configuration.reinforcement.referenceWeight != 0
        add((reference ? 3 : 2) * memory.policyWeights, largest, name: "published versions")
        add(
            memory.rotaryTable(positions: lengths.positions ?? model.maxPositions),
            Self.cause(configuration, model, "max_position_embeddings", model.maxPositions), name: "rotary table")
        add(memory.optimizer, largest, name: "moments, sum of gradients")
        add(memory.inputGradients, largest, name: "panels for input gradients")
        let engines = Generator.engines(threads: threads, configuration: model)
        let (rows, targets) = Self.microBatch(phase, configuration, lengths)
        add(memory.gradient(rows: rows, targets: targets), largest, name: "a learner's pass")
        add(
            Double(threads - 1) * memory.gradient(rows: rows, targets: targets),
            .key("threads", value: "\(threads)"), name: "the other threads' passes")
        if isEvaluating {
            addEvaluation(
                memory,
                lengths.evaluation(imitatingTeacher: phase == .sft, problems: configuration.task.testProblems),
                engines: engines, threads: threads, samples: configuration.evaluation.samples,
                cause: .key("evaluation.samples", value: "\(configuration.evaluation.samples)"))
        } else {
            add(memory.parameters + (adapters == nil ? 2 : 3) * memory.trained, largest, name: "a checkpoint's copies")
        }
        switch phase {
        case .base: addDemonstrations(configuration.warmup, "warmup", lengths)
        case .sft: addDemonstrations(configuration.sft, "sft", lengths)
        case .grpo, .rlkd:
            addRollouts(
                configuration, memory, lengths, engines: engines, threads: threads, hasWorkers: !isEvaluating)
        }
    }

    /// Rows and targets of the largest micro-batch, whatever the lengths of what comes together.
    private static func microBatch(
        _ phase: RunPhase, _ configuration: RunConfiguration, _ lengths: SequenceLengths
    ) -> (rows: Double, targets: Double) {
        func imitation(_ settings: ImitationConfiguration) -> (Double, Double) {
            let rows = LearnerConfiguration.largestMicroBatch(
                demonstrations: settings.batchSize, lengths: 1...lengths.demonstration)
            return (Double(rows), Double(rows) * lengths.tracePart)
        }
        switch phase {
        case .base: return imitation(configuration.warmup)
        case .sft: return imitation(configuration.sft)
        case .grpo, .rlkd:
            let targets = LearnerConfiguration.largestMicroBatch(
                rollouts: configuration.reinforcement.groupSize, lengths: 1...lengths.completion)
            return (Double(targets + lengths.prompt), Double(targets))
        }
    }

    private mutating func addDemonstrations(
        _ settings: ImitationConfiguration, _ key: String, _ lengths: SequenceLengths
    ) {
        add(
            6 * 4 * Double(settings.batchSize) * Double(lengths.demonstration),
            .key("\(key).batchSize", value: "\(settings.batchSize)"), name: "demonstrations")
    }

    private mutating func addRollouts(
        _ configuration: RunConfiguration, _ memory: ModelMemory, _ lengths: SequenceLengths, engines: Int,
        threads: Int, hasWorkers: Bool
    ) {
        let workerCount = configuration.workers == 0 ? engines : configuration.workers
        let workers = Double(workerCount)
        let reinforcement = configuration.reinforcement
        let completions = Double(reinforcement.problemsPerBatch) * Double(reinforcement.groupSize)
        let size = reinforcement.problemsPerBatch >= reinforcement.groupSize ? "problemsPerBatch" : "groupSize"
        let value = max(reinforcement.problemsPerBatch, reinforcement.groupSize)
        let cause = MemoryCause.key("reinforcement.\(size)", value: "\(value)")
        if hasWorkers {
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
        }
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
    /// Of training: a prompt, a completion, and a prompt with its trace.
    var prompt: Int
    var completion: Int
    var demonstration: Int
    /// The largest part of a demonstration's rows that its trace takes.
    var tracePart: Double

    /// Where nothing else is known.
    init(longest: Int) {
        self.longest = longest
        (prompt, completion, demonstration, tracePart) = (longest, longest, longest, 1)
    }

    init(longest: Int, training: [PreparedProblem], tests sets: [TestSet]) {
        self.longest = longest
        problems = training.count + sets.reduce(0) { $0 + $1.problems.count }
        tests = sets.map { set in set.problems.map { ($0.prompt.count, $0.maxNewTokens, $0.maxNewTeacherTokens) } }
        prompt = training.map(\.prompt.count).max() ?? 1
        completion = training.map(\.maxNewTokens).max() ?? 1
        let demonstrations = training.compactMap(\.demonstration).map {
            (prompt: $0.prompt.count, trace: $0.completion.count)
        }
        demonstration = demonstrations.map { $0.prompt + $0.trace }.max() ?? longest
        // The last token has no row.
        tracePart = demonstrations.map { Double($0.trace) / Double(max(1, $0.prompt + $0.trace - 1)) }.max() ?? 1
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
