import Foundation
import Generation
import Logging
import Models
import Pipelines
import StructureRewards
import Tasks
import Tokenizers
import Trajectories

/// Measures a model directory on a task's held-out problems, apart from any run.
///
///     let evaluation = try ModelEvaluation(model: directory, configuration: configuration, logger: logger)
///     let results = try await evaluation.run(threads: 2)
///
/// A model that a run's `sft` arm left as a checkpoint writes in the teacher's notation: its completions are cut at the length
/// that this notation takes.
public struct ModelEvaluation: Sendable {
    private let model: ModelDirectory
    private let evaluator: Evaluator
    private let tests: [TestSet]
    private let imitatesTeacher: Bool
    /// Positions of the longest prompt with its completion.
    private let longestSequence: Int
    /// Rows of the test file that do not fit the model's context.
    public let dropped: Int

    /// What a model scored on one set.
    public struct Result: Sendable, Encodable {
        /// `same` or `larger`.
        public var name: String
        public var scores: EvaluationResult
        /// The k of `passAt8`: 8, or the samples of a problem if they are fewer.
        public var passAtLimit: Int

        /// The scores' own keys, and `name` and `k` beside them.
        public func encode(to encoder: any Encoder) throws {
            try scores.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(passAtLimit, forKey: .k)
        }

        private enum CodingKeys: String, CodingKey {
            case name, k
        }
    }

    /// Reads and checks everything: of the configuration, `task`, `reward`, `evaluation` and `seed` count.
    ///
    /// - Throws: `ConfigurationError`, `MalformedInput` and `FormatError`, all naming file and field: also for a vocabulary
    ///   that is not the task's, a test file without a usable row, and a context too short.
    public init(
        model directory: String, configuration: RunConfiguration, precision: Precision = .float32, logger: Logger
    ) throws {
        try configuration.validate()
        let student = try StoredStudent(directory: directory, precision: precision, logger: logger)
        let reader: any StructureReader
        let verifier: any OutcomeVerifier
        switch configuration.task.kind {
        case .quantityGraphs:
            let task = try QuantityGraphTask(configuration)
            try Self.checkVocabulary(of: student.tokenizer, against: task.tokenizer, directory: directory)
            (tests, dropped, reader, verifier) = (task.tests, 0, task.reader, task.verifier)
        case .gsm8k, .jsonl:
            (tests, dropped) = try Self.textTests(configuration, student)
            reader = SolutionLineReader()
            verifier = TextAnswerVerifier(style: configuration.task.kind == .gsm8k ? .hashes : .automatic)
        }
        imitatesTeacher = Self.isImitation(directory)
        evaluator = Evaluator(
            tokenizer: student.tokenizer,
            scorer: configuration.reward.makeScorer(reader: reader, verifier: verifier),
            samples: configuration.evaluation.samples, temperature: configuration.evaluation.temperature,
            seed: configuration.seed, endTokens: student.endTokens, batchCapacity: MemoryNeed.evaluationBatch)
        longestSequence = try tests.flatMap(\.problems).longestSequence(
            context: student.configuration.maxPositions, file: directory + "/config.json",
            key: "max_position_embeddings",
            newTokens: { [imitatesTeacher] in $0.maxNewTokens(imitatingTeacher: imitatesTeacher) })
        model = student.directory
    }

    /// What `run` takes.
    ///
    /// - Parameter samples: what decides how many completions there are of a problem.
    public func need(threads: Int, samples: MemoryCause) -> MemoryNeed {
        var need = model.servingNeed(
            positions: longestSequence, threads: threads, program: MemoryNeed.programWithTask)
        need.addEvaluation(
            ModelMemory(model.configuration),
            tests.map { set in
                set.problems.map { ($0.prompt.count, $0.maxNewTokens(imitatingTeacher: imitatesTeacher)) }
            }, threads: threads, cores: ProcessorCores.available.count, samples: evaluator.samples, cause: samples)
        return need
    }

    /// Reads the weights and gives the model's scores on each set, in the task's order; they do not depend on the number of
    /// threads.
    ///
    /// - Throws: `FormatError` for weights that are not finite, `NonFiniteEvaluation`.
    public func run(threads: Int) async throws -> [Result] {
        let executor = ComputeExecutor(threads: threads)
        defer { executor.shutdown() }
        let weights = try await executor.weights(of: model.weights, positions: longestSequence)
        var results: [Result] = []
        for set in tests {
            let scores = try await evaluator.evaluate(
                weights, on: set, imitatingTeacher: imitatesTeacher, executor: executor)
            results.append(
                Result(
                    name: set.name, scores: scores, passAtLimit: EvaluationTable.passAtLimit(samples: evaluator.samples)
                ))
        }
        return results
    }

    private static func textTests(
        _ configuration: RunConfiguration, _ model: StoredStudent
    ) throws -> (tests: [TestSet], dropped: Int) {
        let task = configuration.task
        let heldOut = task.heldOutFile(configuration.evaluation.split)
        guard let file = heldOut.path else {
            throw ConfigurationError(
                source: ConfigurationError.configuration, key: heldOut.key, reason: "names no file of problems")
        }
        let problems =
            task.kind == .gsm8k
            ? try GSM8K.read(path: file, reader: SolutionLineReader())
            : try JSONLinesProblems.read(path: file, fields: task.fields)
        let prepared = try ContextFitting(task: task, student: model).prepare(
            problems, limit: task.testProblems, file: file)
        return ([TestSet(name: "same", problems: prepared.problems)], prepared.dropped)
    }

    private static func checkVocabulary(of own: Tokenizer, against task: Tokenizer, directory: String) throws {
        let count = max(own.vocabularySize, task.vocabularySize)
        guard let id = (0..<Int32(count)).first(where: { own.token(for: $0) != task.token(for: $0) }) else { return }
        func name(_ token: String?) -> String { token.map { "“\($0)”" } ?? "nothing" }
        throw ConfigurationError(
            source: directory + "/tokenizer.json", key: "model.vocab",
            reason: "is not the vocabulary of the quantity graphs: token \(id) is \(name(own.token(for: id))), not "
                + "\(name(task.token(for: id))) (is task.graphs.modulus what the model was trained with?)")
    }

    private struct Origin: Decodable {
        var phase: RunPhase
    }

    /// A checkpoint's `state.json` names the phase that made it.
    private static func isImitation(_ directory: String) -> Bool {
        let file = URL(fileURLWithPath: directory).appending(path: "state.json")
        guard let data = try? Data(contentsOf: file) else { return false }
        return (try? JSONDecoder().decode(Origin.self, from: data))?.phase == .sft
    }
}
