import Generation
import Learning
import Models
import Pipelines
import Trajectories

extension MemoryNeed {
    /// Bytes of a prepared problem with its texts and tokens, about. Measured as resident memory, a problem more at a time: 1810 of the
    /// built-in training problems, 2330 of the test problems, 2230 of GSM8K's.
    private static let problem = 2240.0
    /// Bytes of a sampled token with its log-probability, version and mask; and of its text, some characters long.
    static let sampledToken =
        rounding
        * Double(
            MemoryLayout<Int32>.stride + MemoryLayout<Float>.stride + MemoryLayout<PolicyVersion>.stride
                + MemoryLayout<Bool>.stride + 4)
    /// What the allocator rounds a size up by, in the mean: it has four sizes from one power of two to the next.
    private static let rounding = 1.125
    /// Completions that an engine runs at once in evaluation.
    static let evaluationBatch = 64
    /// Batches that a phase has at once: the next update's, so many early ones as `maxStaleness` lets in, and in the learner's hands
    /// one, which stands there twice. Queues hold no others.
    private static func batchesOfRollouts(maxStaleness: Int) -> Double { Double(maxStaleness) + 3 }
    /// The program itself. Measured on x86-64 as resident memory beside a smallest model: 27 MiB of pages of files, of which the
    /// program has 5 and Swift's and Foundation's libraries 17, and 1 MiB of stacks and the allocator's own tables. What products
    /// in bfloat16 take of stacks comes to it, see `ModelMemory.stacks`.
    public static let program = 28.0 * 1024 * 1024
    /// The same where a task's problems are read and answers compared, measured likewise: 7 MiB more of files' pages, 4 of them ICU's
    /// tables, and 5 MiB that Foundation and the task's rules allocate.
    static let programWithTask = 40.0 * 1024 * 1024

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
    ///
    /// - Parameter cores: that the threads run on.
    init(
        _ configuration: RunConfiguration, model: ModelConfiguration, lengths: SequenceLengths,
        cores: Int = ProcessorCores.available.count
    ) {
        self.init(problemsOf: configuration)
        let threads = configuration.threads == 0 ? cores : configuration.threads
        let program = Self.programWithTask + ModelMemory(model).stacks(threads: threads)
        add(program, .key("threads", value: "\(threads)"), name: "the program")
        if configuration.task.kind != .quantityGraphs {
            add(
                Double(lengths.problems) * Self.problem,
                .key("task.trainingProblems", value: "\(configuration.task.trainingProblems)"), name: "problems")
        }
        let phases = ([.base] + configuration.arms.map { RunPhase($0) }).flatMap { phase in
            [true, false].map { isEvaluating in
                var need = MemoryNeed()
                need.add(
                    phase, configuration, model: model, lengths: lengths, threads: threads, cores: cores,
                    isEvaluating: isEvaluating)
                return need
            }
        }
        // Sizes beyond counting come first of their equals.
        var largest = MemoryNeed()
        for need in phases where need.bytes > largest.bytes { largest = need }
        for part in largest.parts { add(part.bytes, part.cause, name: part.name) }
        addReading(
            lengths.readingBytes, program: program,
            .key("task.training", value: configuration.task.training ?? ""), name: "reading the task's files")
    }

    /// What reading files takes, where it is more than all that follows, which takes up its memory again.
    public mutating func addReading(
        _ reading: Double, program: Double = program, _ cause: MemoryCause, name: String? = nil
    ) {
        let missing = program + reading - bytes
        guard reading > 0, missing > 0 else { return }
        add(missing, cause, name: name)
    }

    private mutating func add(
        _ phase: RunPhase, _ configuration: RunConfiguration, model: ModelConfiguration, lengths: SequenceLengths,
        threads: Int, cores: Int, isEvaluating: Bool
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
        guard !isEvaluating else {
            // The learner is gone by then, and with it all but the last version.
            add(memory.policyWeights, largest, name: "published versions")
            addEvaluation(
                memory,
                lengths.evaluation(imitatingTeacher: phase == .sft, problems: configuration.task.testProblems),
                threads: threads, cores: cores, samples: configuration.evaluation.samples,
                cause: .key("evaluation.samples", value: "\(configuration.evaluation.samples)"))
            return
        }
        let reference = phase.isReinforcement && configuration.reinforcement.referenceWeight != 0
        add((reference ? 3 : 2) * memory.policyWeights, largest, name: "published versions")
        add(memory.optimizer, largest, name: "moments, sum of gradients")
        add(memory.inputGradients, largest, name: "panels for input gradients")
        let checkpoint = memory.parameters + (adapters == nil ? 2 : 3) * memory.trained
        if !phase.isReinforcement { add(checkpoint, largest, name: "a checkpoint's copies") }
        let running = min(threads, cores)
        let workers = configuration.rolloutWorkers(threads: running, model)
        let sharing = Generator.threadsSharing(engines: workers, threads: threads, running: running)
        let batch = LargestMicroBatch(phase, configuration, lengths, memory: memory, threads: threads, cores: cores)
        if let pass = batch.passes.first {
            // Of several sequences, more than usual were asked for.
            let rows = configuration.learner.microBatchRows
            let isChosen = rows > LearnerConfiguration.usualMicroBatchRows && batch.rows > Double(batch.longest)
            add(
                pass + batch.workspace, isChosen ? .key("learner.microBatchRows", value: "\(rows)") : largest,
                name: "a learner's pass")
            add(
                Double(batch.members - 1) * batch.workspace, .key("threads", value: "\(threads)"),
                name: "the other threads' workspaces")
            add(
                batch.passes.dropFirst().reduce(0, +), .key("threads", value: "\(threads)"),
                name: "the other threads' passes")
        }
        switch phase {
        case .base: addDemonstrations(configuration.warmup, "warmup", lengths.warmup)
        case .sft: addDemonstrations(configuration.sft, "sft", lengths.traced)
        case .grpo, .rlkd:
            addRollouts(
                configuration, memory, lengths, workers: workers, sharing: sharing, checkpoint: (checkpoint, largest))
        }
        guard phase == configuration.arms.last.map({ RunPhase($0) }) else { return }
        let (updates, key) = phase == .sft ? (configuration.sft.steps, "sft.steps") : (configuration.steps, "steps")
        add(
            Self.timeline(
                configuration, updates: updates,
                tokens: phase.isReinforcement ? Double(RolloutLengths(configuration, lengths).longestCompletion) : 0,
                passes: batch.microBatches, threads: threads, sharing: phase.isReinforcement ? sharing : 1),
            .key(key, value: "\(updates)"), name: "the timeline")
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
        _ configuration: RunConfiguration, _ memory: ModelMemory, _ lengths: SequenceLengths, workers: Int,
        sharing: Int, checkpoint: (bytes: Double, cause: MemoryCause)
    ) {
        let workers = Double(workers)
        let reinforcement = configuration.reinforcement
        let completions = Double(reinforcement.problemsPerBatch) * Double(reinforcement.groupSize)
        let size = reinforcement.problemsPerBatch >= reinforcement.groupSize ? "problemsPerBatch" : "groupSize"
        let value = max(reinforcement.problemsPerBatch, reinforcement.groupSize)
        let cause = MemoryCause.key("reinforcement.\(size)", value: "\(value)")
        let sequences = RolloutLengths(configuration, lengths)
        let batch = (completions / workers).rounded(.up)
        // Pages that no prompt and no completion reaches are never touched. A group is taken in when there is room for all of it, so
        // that its prompt's logits come in place of a completion's.
        let generators =
            workers
            * memory.generator(
                batch: batch, longest: Double(lengths.longest),
                positions: (sequences.positions / workers).rounded(.up), logits: batch, threads: sharing)
        let tokens = Double(sequences.longestCompletion)
        // At the end the workers are gone; earlier checkpoints are written beside them.
        let early = configuration.steps > configuration.checkpoints.every ? checkpoint.bytes : 0
        if generators + early > checkpoint.bytes {
            add(generators, cause, name: "rollout workers")
            add(early, checkpoint.cause, name: "a checkpoint's copies")
        } else {
            add(checkpoint.bytes, checkpoint.cause, name: "a checkpoint's copies")
        }
        // Batches in the queues and in the learner's hands.
        let batches = Self.batchesOfRollouts(maxStaleness: configuration.maxStaleness)
        add(
            batches * completions * tokens * Self.sampledToken,
            configuration.maxStaleness > value
                ? .key("maxStaleness", value: "\(configuration.maxStaleness)") : cause, name: "rollouts")
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
        _ memory: ModelMemory, _ sets: [[(prompt: Int, newTokens: Int)]], threads: Int, cores: Int,
        samples: Int, cause: MemoryCause
    ) {
        let running = min(threads, cores)
        let needs = sets.map { set in
            let engines = Evaluator.engines(
                threads: running, problems: set.count, samples: samples, configuration: memory.shape)
            let generators = (0..<engines).map { engine in
                let part = stride(from: engine, to: set.count, by: engines).map { set[$0] }
                return memory.evaluation(
                    of: part, samples: samples, batch: Self.evaluationBatch,
                    threads: Generator.threadsSharing(engines: engines, threads: threads, running: running))
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
                [1, samples].map {
                    RunningSequences.Request(prompt: problem.prompt, newTokens: problem.newTokens, samples: $0)
                }
            }, batch: batch)
        return generator(
            batch: capacity, longest: Double(running.longest), positions: Double(running.positions),
            promptTokens: Double(running.promptTokens), logits: Double(running.logitRows()), threads: threads)
    }
}

extension RunPhase {
    var isReinforcement: Bool { self == .grpo || self == .rlkd }
}
