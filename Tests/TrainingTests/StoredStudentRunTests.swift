import Foundation
import Models
import Testing
import Tokenizers

@testable import Training

/// Runs that start from a model directory.
@Suite(.timeLimit(.minutes(30))) struct StoredStudentRunTests {
    private static let generation = """
        {"do_sample": true, "temperature": 0.6,
         "eos_token_id": [1, 3], "transformers_version": "4.51.0", "of_a_later_version": null}
        """

    /// A model whose tokenizer ends texts with token 1, its generation_config.json as given.
    private func makeModel(in folder: URL, generation: String?, ties: Bool = true) throws -> URL {
        let tokenizer = try Tokenizer.closed(symbols: ["a", "b", "\n"], beginning: "<s>", end: "</s>")
        let shape = ModelConfiguration(
            hiddenSize: 16, intermediateSize: 24, layerCount: 1, attentionHeadCount: 2, keyValueHeadCount: 1,
            vocabularySize: tokenizer.vocabularySize, maxPositions: 16, tiesEmbeddings: ties,
            beginningToken: 0, endTokens: [1])
        let model = folder.appending(path: "model")
        try HuggingFaceDirectory.save(
            Parameters.randomized(configuration: shape, seed: 1), tokenizer: tokenizer, to: model)
        let file = model.appending(path: "generation_config.json")
        try FileManager.default.removeItem(at: file)
        if let generation { try Data(generation.utf8).write(to: file) }
        return model
    }

    private func configuration(_ model: URL, in folder: URL, rank: Int) throws -> RunConfiguration {
        var configuration = TestRun.configuration(output: folder.appending(path: "run"))
        configuration.student.model = model.path
        configuration.task.kind = .jsonl
        configuration.task.maxNewTokens = 4
        configuration.task.trainingProblems = 0
        configuration.task.testProblems = 0
        configuration.learner.adapters.rank = rank
        (configuration.steps, configuration.warmup.steps) = (2, 1)
        configuration.checkpoints.every = 1
        let rows = (1...3).map { index in
            "{\"question\": \"\(String(repeating: "a", count: index))\", \"answer\": \"b\", \"trace\": \"b\"}"
        }
        let file = folder.appending(path: "rows.jsonl")
        try Data(rows.joined(separator: "\n").utf8).write(to: file)
        (configuration.task.training, configuration.task.test) = (file.path, file.path)
        return configuration
    }

    /// Weights that are finite, but of which the arithmetic makes no numbers: the directory is named where they are its own.
    @Test(arguments: [0, 1]) func aModelThatGivesNoNumbersIsNamed(updates: Int) async throws {
        try await withTemporaryFolder { folder in
            let model = try makeModel(in: folder, generation: nil)
            var configuration = try configuration(model, in: folder, rank: 0)
            configuration.warmup.steps = updates
            // One update so large that the next pass overflows.
            if updates > 0 { (configuration.warmup.learningRate, configuration.warmup.warmupSteps) = (1e15, 0) }
            let (shape, parameters) = try HuggingFaceDirectory.load(model)
            for entry in try ParameterLayout(shape).entries where updates == 0 && entry.name.contains("proj") {
                for index in entry.offset..<entry.offset + entry.count { parameters.pointer[index] *= 1e30 }
            }
            try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: model)
            do {
                try await TestRun.run(configuration)
                Issue.record("the run came to an end")
            } catch let error as ConfigurationError {
                #expect(updates == 0)
                #expect(error.key == "student.model")
                #expect(error.reason.hasPrefix("is \(model.path): the log-probabilities of a completion"), "\(error)")
            } catch {
                let error = try #require(error as? DivergedRun)
                #expect(updates == 1 && error.step == 1)
                #expect(
                    error.description.contains("after step 1 of phase base, the log-probabilities of a completion")
                        && error.description.contains("lower warmup.learningRate (it is 1000000000000000.0)"),
                    "\(error)")
            }
        }
    }

    /// transformers stops at what generation_config.json names: a checkpoint stops where the student that it came of did.
    @Test(arguments: [0, 2]) func checkpointsKeepTheGenerationConfiguration(rank: Int) async throws {
        try await withTemporaryFolder { folder in
            let model = try makeModel(in: folder, generation: Self.generation)
            let configuration = try configuration(model, in: folder, rank: rank)
            try await TestRun.run(configuration)
            let checkpoints = folder.appending(path: "run/checkpoints")
            #expect(TestRun.checkpoints(checkpoints) == ["step-1", "step-2"])
            for name in ["base/step-1", "step-1", "step-2"] {
                let file = checkpoints.appending(path: "\(name)/generation_config.json")
                #expect(try String(contentsOf: file, encoding: .utf8) == Self.generation)
            }
            let saved = try ModelDirectory(checkpoints.appending(path: "step-2").path, logger: TestRun.quietLogger)
            #expect(saved.endTokens == [1, 3])
        }
    }

    /// All tokens that end a completion here, whichever file of the student's names them.
    @Test(arguments: [(nil, [1]), ("{\"top_k\": 5}", [1]), ("{\"eos_token_id\": 3}", [3, 1])] as [(String?, [Int])])
    func checkpointsNameEveryEnd(generation: String?, ends: [Int]) async throws {
        try await withTemporaryFolder { folder in
            let model = try makeModel(in: folder, generation: generation)
            try await TestRun.run(configuration(model, in: folder, rank: 0))
            let file = folder.appending(path: "run/checkpoints/step-2/generation_config.json")
            let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? NSDictionary
            #expect(object?["eos_token_id"] as? [Int] == ends)
            if generation?.contains("top_k") == true { #expect(object?["top_k"] as? Int == 5) }
        }
    }

    /// Of the head as of the layers: a run that goes on ends in the same bits, and a checkpoint is the student with its adapters.
    @Test(arguments: Precision.allCases) func adaptersOfTheHeadAreTrained(precision: Precision) async throws {
        try await withTemporaryFolder { folder in
            let model = try makeModel(in: folder, generation: nil, ties: false)
            var configuration = try configuration(model, in: folder, rank: 2)
            configuration.dtype = precision
            configuration.learner.adapters.targets = [.head, .up]
            // Rewards differ, however little the student knows.
            (configuration.reward.overlong.weight, configuration.reward.overlong.start) = (1, 0)
            try await TestRun.run(configuration)
            let run = RunDirectory(url: folder.appending(path: "run"))
            let end = run.checkpoints.appending(path: "step-2")
            func bits() throws -> [Data] {
                try ["model.safetensors", "optimizer.safetensors", "adapters/adapter_model.safetensors"].map {
                    try Data(contentsOf: end.appending(path: $0))
                }
            }
            let whole = try bits()
            let (shape, base) = try HuggingFaceDirectory.load(run.checkpoints.appending(path: "base/step-1"))
            let adapters = try Adapters(contentsOf: end.appending(path: "adapters"), of: shape)
            let (_, merged) = try HuggingFaceDirectory.load(end)
            let expected = base.merging(adapters)
            #expect(memcmp(merged.pointer, expected.pointer, 4 * merged.count) == 0)
            let head = try #require(base.layout["lm_head.weight"])
            #expect(memcmp(merged.pointer + head.offset, base.pointer + head.offset, 4 * head.count) != 0)
            #expect(memcmp(merged.pointer, base.pointer, 4 * head.count) == 0, "the embedding stands still")

            try FileManager.default.removeItem(at: run.summary)
            try FileManager.default.removeItem(at: end)
            var state = try RunState.load(run)
            state.finished = [.base]
            state.results = state.results.filter { $0.key == "base" }
            state.reports = state.reports.filter { $0.key == "base" }
            try state.write(to: run.state)
            try await TestRun.run(configuration, resuming: true)
            #expect(try bits() == whole)
        }
    }

    @Test func aTiedHeadTakesNoAdapter() async throws {
        try await withTemporaryFolder { folder in
            let model = try makeModel(in: folder, generation: nil)
            var configuration = try configuration(model, in: folder, rank: 2)
            configuration.learner.adapters.targets = [.query, .head]
            let run = TrainingRun(configuration: configuration, resuming: false, logger: TestRun.quietLogger)
            for attempt in [{ _ = try run.describe() }, { _ = try await run.run() }] as [() async throws -> Void] {
                let error = await #expect(throws: ConfigurationError.self) { try await attempt() }
                #expect(error?.key == "learner.adapters.targets")
                #expect(error?.reason.contains("lm_head") == true, "\(String(describing: error))")
            }
            #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "run").path))
            // All weights are trained: there is no adapter.
            configuration.learner.adapters.rank = 0
            _ = try TrainingRun(configuration: configuration, resuming: false, logger: TestRun.quietLogger).describe()
        }
    }
}
