import Files
import Logging
import Models
import Tokenizers

/// The student as it starts, and its task.
struct RunMaterial: Sendable {
    let task: any RunTask
    let student: Parameters
    let endTokens: [Int32]
    /// Of the student's checkpoints.
    let generation: GenerationConfiguration
    /// Positions of the longest prompt with its completion.
    let longestSequence: Int
    /// That any pass reaches.
    let positions: Int
    /// Demonstrations of the warm-up whose lengths stand for all, which are made as they are needed: twice the usual batch.
    private static let sampledDemonstrations = 64
    /// Problems that are made within a second or so.
    private static let unnoticedProblems = 20_000
    /// About what the run takes.
    let need: MemoryNeed

    /// Throws errors that name the key or the file at fault, `InsufficientMemory` before any weight is there.
    init(_ configuration: RunConfiguration, logger: Logger) throws {
        let model: ModelConfiguration
        let makeStudent: () throws -> Parameters
        switch configuration.task.kind {
        case .quantityGraphs:
            let problems = configuration.task.trainingProblems + 2 * configuration.task.testProblems
            if problems > Self.unnoticedProblems { logger.notice("making \(problems) problems") }
            let task = try QuantityGraphTask(configuration)
            let fresh = try Self.freshModel(configuration, task.tokenizer)
            self.task = task
            model = fresh
            makeStudent = {
                try Parameters.randomized(
                    configuration: fresh, seed: configuration.seed,
                    deviation: configuration.student.initialDeviation)
            }
            endTokens = model.endTokens
            generation = GenerationConfiguration(model)
        case .gsm8k, .jsonl:
            guard let directory = configuration.student.model else {
                throw ConfigurationError(
                    source: ConfigurationError.configuration, key: "student.model",
                    reason: "names no directory; prose needs a student")
            }
            let stored = try StoredStudent(directory: directory, precision: configuration.dtype, logger: logger)
            try configuration.checkAdapters(of: stored.configuration)
            task = try TextTask(configuration, student: stored)
            model = stored.configuration
            makeStudent = { try stored.weights.parameters() }
            endTokens = stored.endTokens
            generation = stored.directory.generation
        }
        // Every problem fits the student with its longest completion.
        longestSequence = try (task.training + task.tests.flatMap(\.problems)).longestSequence(
            context: model.maxPositions, file: ConfigurationError.configuration,
            key: "student.maxPositions", newTokens: { max($0.maxNewTokens, $0.maxNewTeacherTokens) })
        let warmup = configuration.warmup
        // Other tasks' warm-up imitates the training problems' traces, all of which are known.
        let isMade = configuration.task.kind == .quantityGraphs
        let count = isMade ? min(warmup.steps * warmup.batchSize, Self.sampledDemonstrations) : 0
        let imitated = try (0..<count).map { [task] in try task.warmupDemonstration(at: $0) }
        var lengths = SequenceLengths(
            longest: longestSequence, training: task.training, tests: task.tests, warmup: imitated)
        // Quantity graphs to warm up with are made later.
        positions =
            configuration.task.kind == .quantityGraphs
            ? model.maxPositions : max(longestSequence, lengths.traced.longest)
        lengths.positions = positions
        lengths.readingBytes = task.readingBytes
        need = MemoryNeed(configuration, model: model, lengths: lengths)
        try need.check()
        student = try makeStudent()
    }

    private static func freshModel(_ configuration: RunConfiguration, _ tokenizer: Tokenizer) throws
        -> ModelConfiguration
    {
        let shape = configuration.student
        guard shape.model == nil else {
            throw ConfigurationError(
                source: ConfigurationError.configuration, key: "student.model",
                reason: "quantity graphs have a vocabulary of their own; leave it out")
        }
        var model = ModelConfiguration(
            hiddenSize: shape.hiddenSize, intermediateSize: shape.intermediateSize, layerCount: shape.layers,
            attentionHeadCount: shape.attentionHeads, keyValueHeadCount: shape.keyValueHeads,
            vocabularySize: tokenizer.vocabularySize, maxPositions: shape.maxPositions,
            beginningToken: tokenizer.beginning, endTokens: tokenizer.end.map { [$0] } ?? [])
        model.precision = configuration.dtype
        do {
            try model.validate()
        } catch let error as FormatError {
            throw ConfigurationError(
                source: ConfigurationError.configuration, key: StudentConfiguration.key(ofField: error.field),
                reason: error.reason)
        }
        try configuration.checkAdapters(of: model)
        try MemoryNeed(configuration, model: model, lengths: SequenceLengths(longest: 1)).check()
        return model
    }
}
