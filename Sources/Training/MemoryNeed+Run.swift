import Models
import Pipelines

extension MemoryNeed {
    /// Bytes of a prepared problem with its texts and tokens, about.
    private static let problem = 3072.0
    /// Bytes of a sampled token with its log-probability, version and mask.
    static let sampledToken = 24.0
    /// Completions that a thread runs at once in evaluation.
    private static let evaluationBatch = 64.0
    private static let microBatchRows = 1024.0

    /// Of problems that are made on the spot, before any model is there.
    init(problemsOf configuration: RunConfiguration) {
        self.init()
        let task = configuration.task
        if task.kind == .quantityGraphs {
            add(
                Double(task.trainingProblems) * Self.problem,
                .key("task.trainingProblems", value: "\(task.trainingProblems)"))
            add(
                2 * Double(task.testProblems) * Self.problem, .key("task.testProblems", value: "\(task.testProblems)"))
        }
    }

    /// Of a run: weights, moments and gradients of the learner, published versions, the workers' keys and values, batches and
    /// the completions of an evaluation.
    init(_ configuration: RunConfiguration, model: ModelConfiguration, longestSequence: Int) {
        self.init(problemsOf: configuration)
        let memory = ModelMemory(model)
        let threads = configuration.threads == 0 ? ProcessorCores.available.count : configuration.threads
        let workers = configuration.workers == 0 ? threads : configuration.workers
        let reinforcement = configuration.reinforcement
        let longest = Double(longestSequence)
        // The base student, the learner's weights and a checkpoint in the making, with its moments; the versions published.
        let weights = 5 * memory.parameters + 4 * memory.policyWeights
        let rows = max(Self.microBatchRows, longest) + longest
        func cause(_ field: String, _ value: Int) -> MemoryCause {
            guard let folder = configuration.student.model else {
                return .key(StudentConfiguration.key(ofField: field), value: "\(value)")
            }
            return .field(field, of: folder + "/config.json", value: "\(value)")
        }
        add(weights, cause(memory.largestField.name, memory.largestField.value))
        add(memory.rotaryTable, cause("max_position_embeddings", model.maxPositions))
        add(memory.learner(rows: rows, threads: 1), cause(memory.largestField.name, memory.largestField.value))
        add(Double(threads - 1) * memory.gradient(rows: rows, targets: rows), .key("threads", value: "\(threads)"))
        let completions = Double(reinforcement.problemsPerBatch) * Double(reinforcement.groupSize)
        let size = reinforcement.problemsPerBatch >= reinforcement.groupSize ? "problemsPerBatch" : "groupSize"
        let value = max(reinforcement.problemsPerBatch, reinforcement.groupSize)
        add(
            Double(workers)
                * memory.generator(batch: (completions / Double(workers)).rounded(.up), longest: longest),
            .key("reinforcement.\(size)", value: "\(value)"))
        // Batches in the queues and in the learner's hands.
        add(4 * completions * longest * Self.sampledToken, .key("reinforcement.\(size)", value: "\(value)"))
        for (key, settings) in [("warmup", configuration.warmup), ("sft", configuration.sft)] {
            add(6 * 4 * Double(settings.batchSize) * longest, .key("\(key).batchSize", value: "\(settings.batchSize)"))
        }
        addEvaluation(
            memory, longest: longest, threads: threads, problems: configuration.task.testProblems,
            samples: configuration.evaluation.samples,
            cause: .key("evaluation.samples", value: "\(configuration.evaluation.samples)"))
    }

    /// Of an evaluation, apart from the weights.
    mutating func addEvaluation(
        _ memory: ModelMemory, longest: Double, threads: Int, problems: Int, samples: Int, cause: MemoryCause
    ) {
        add(
            Double(threads) * memory.generator(batch: Self.evaluationBatch, longest: longest),
            .key("threads", value: "\(threads)"))
        add(Double(problems) * Double(samples + 1) * longest * Self.sampledToken, cause)
    }
}
