import Logging
import Models
import Tokenizers

/// The student as it starts, and its task.
struct RunMaterial: Sendable {
    let task: any RunTask
    let student: Parameters
    let endTokens: [Int32]
    /// Positions of the longest prompt with its completion.
    let longestSequence: Int
    /// About what the run takes.
    let need: MemoryNeed

    /// Throws errors that name the key or the file at fault.
    init(_ configuration: RunConfiguration, logger: Logger) throws {
        switch configuration.task.kind {
        case .quantityGraphs:
            let task = try QuantityGraphTask(configuration)
            let model = try Self.freshModel(configuration, task.tokenizer)
            self.task = task
            student = try Parameters.randomized(
                configuration: model, seed: configuration.seed, deviation: configuration.student.initialDeviation)
            endTokens = model.endTokens
        case .gsm8k, .jsonl:
            guard let model = configuration.student.model else {
                throw ConfigurationError(
                    source: ConfigurationError.configuration, key: "student.model",
                    reason: "names no directory; prose needs a student")
            }
            let loaded = try LoadedStudent(directory: model, precision: configuration.dtype, logger: logger)
            task = try TextTask(configuration, student: loaded)
            student = loaded.parameters
            endTokens = loaded.endTokens
        }
        // Every problem fits the student with its longest completion.
        longestSequence = try (task.training + task.tests.flatMap(\.problems)).longestSequence(
            context: student.configuration.maxPositions, file: ConfigurationError.configuration,
            key: "student.maxPositions", newTokens: { max($0.maxNewTokens, $0.maxNewTeacherTokens) })
        need = MemoryNeed(
            configuration, model: student.configuration,
            lengths: SequenceLengths(longest: longestSequence, training: task.training, tests: task.tests))
        try need.check()
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
                source: ConfigurationError.configuration, key: "student", reason: "\(error.field): \(error.reason)")
        }
        try MemoryNeed(configuration, model: model, lengths: SequenceLengths(longest: 1)).check()
        return model
    }
}
