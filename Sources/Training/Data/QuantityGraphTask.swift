import Learning
import StructureRewards
import Tasks
import Tokenizers
import Trajectories

/// Quantity graphs: everything is made on the spot.
struct QuantityGraphTask: RunTask {
    let tokenizer: Tokenizer
    let training: [PreparedProblem]
    let tests: [TestSet]
    let dropped = DroppedRows()
    let readingBytes = 0.0
    private let end: Int32
    private let warmup: QuantityGraphSet

    var reader: any StructureReader { QuantityGraphReader() }
    var verifier: any OutcomeVerifier { QuantityGraphVerifier() }

    /// Throws `ConfigurationError` for an impossible size.
    init(_ configuration: RunConfiguration) throws {
        var graphs = configuration.task.graphs
        graphs.seed = configuration.seed
        do {
            let warmupCount = max(1, configuration.warmup.steps * configuration.warmup.batchSize)
            warmup = try QuantityGraphSet(.base, count: warmupCount, configuration: graphs)
            let tokenizer = try Tokenizer.closed(
                symbols: graphs.vocabulary.symbols, beginning: "<s>", end: "</s>", padding: nil)
            guard let end = tokenizer.end else {
                throw ConfigurationError(
                    source: "built-in", key: "task.graphs", reason: "the tokenizer has no end token")
            }
            func prepare(_ kind: QuantityGraphSet.Kind, count: Int) throws -> [PreparedProblem] {
                try QuantityGraphSet(kind, count: count, configuration: graphs).map { problem in
                    let demonstration = try problem.problem.demonstration(tokenizer, separator: "", end: end)
                    return PreparedProblem(
                        problem: problem.problem, prompt: demonstration.prompt,
                        maxNewTokens: problem.completionLimit.tokens(in: .student),
                        maxNewTeacherTokens: problem.completionLimit.tokens(in: graphs.teacherNotation.notation),
                        demonstration: demonstration)
                }
            }
            self.tokenizer = tokenizer
            self.end = end
            training = try prepare(.training, count: configuration.task.trainingProblems)
            let kinds: (same: QuantityGraphSet.Kind, larger: QuantityGraphSet.Kind) =
                switch configuration.evaluation.split {
                case .test: (.same, .larger)
                case .validation: (.validation, .largerValidation)
                }
            tests = [
                TestSet(name: "same", problems: try prepare(kinds.same, count: configuration.task.testProblems)),
                TestSet(name: "larger", problems: try prepare(kinds.larger, count: configuration.task.testProblems)),
            ]
        } catch let error as QuantityGraphConfigurationError {
            throw ConfigurationError(
                source: ConfigurationError.configuration, key: "task.graphs.\(error.field)", reason: error.reason)
        }
    }

    func warmupDemonstration(at position: Int) throws -> Demonstration {
        try warmup[position % warmup.count].problem.demonstration(tokenizer, separator: "", end: end)
    }
}

extension QuantityGraphVerifier: OutcomeVerifier {}

extension Problem {
    /// The question as prompt, the first trace and an end token as completion.
    func demonstration(_ tokenizer: Tokenizer, separator: String, end: Int32) throws -> Demonstration {
        Demonstration(
            prompt: try tokenizer.encode(question + separator, addSpecialTokens: true),
            completion: try tokenizer.encode(traces.first?.text ?? "", addSpecialTokens: false) + [end])
    }
}
