import Foundation
import Models
import Tasks
import Testing
import Tokenizers

/// `eval` on an untrained model with the right vocabulary.
@Suite struct EvaluateCommandTests {
    private struct Result: Decodable, Equatable {
        var name: String
        var accuracy: Double
        var passAt1: Double
        var passAt8: Double
        var k: Int
        var structure: Double
        var problems: Int
    }

    private func makeModel() throws -> TemporaryFolder {
        let tokenizer = try Tokenizer.closed(
            symbols: QuantityGraphConfiguration().vocabulary.symbols, beginning: "<s>", end: "</s>")
        let shape = ModelConfiguration(
            hiddenSize: 32, intermediateSize: 48, layerCount: 1, attentionHeadCount: 2, keyValueHeadCount: 2,
            vocabularySize: tokenizer.vocabularySize, maxPositions: 400, beginningToken: tokenizer.beginning,
            endTokens: tokenizer.end.map { [$0] } ?? [])
        let folder = try TemporaryFolder()
        try HuggingFaceDirectory.save(
            Parameters.randomized(configuration: shape, seed: 1), tokenizer: tokenizer, to: folder.url)
        return folder
    }

    @Test func resultsDoNotDependOnThreads() throws {
        let model = try makeModel()
        let outcomes = try ["1", "3"].map { threads in
            try CommandLineProcess.run([
                "eval", "--model", model.url.path, "--task", "quantityGraphs", "--samples", "3", "--threads", threads,
                "--json", "task.testProblems=5",
            ])
        }
        #expect(outcomes.map(\.status) == [0, 0])
        let results = try outcomes[0].rows(Result.self)
        #expect(results.map(\.name) == ["same", "larger"])
        #expect(results.map(\.problems) == [5, 5])
        #expect(results.map(\.k) == [3, 3])
        #expect(results.allSatisfy { (0...1).contains($0.accuracy) && (0...1).contains($0.structure) })
        #expect(outcomes[0].output == outcomes[1].output)
    }

    /// What comes to no numbers has no score, not one of 0.
    @Test func absurdWeightsAreRefused() throws {
        let model = try makeModel()
        let (configuration, parameters) = try HuggingFaceDirectory.load(model.url)
        for entry in try ParameterLayout(configuration).entries where entry.name.contains("proj") {
            for index in entry.offset..<entry.offset + entry.count { parameters.pointer[index] *= 1e30 }
        }
        try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: model.url)
        let outcome = try CommandLineProcess.run([
            "eval", "--model", model.url.path, "--samples", "1", "task.testProblems=2",
        ])
        #expect(outcome.status == 65 && outcome.output.isEmpty)
        #expect(outcome.diagnostics.hasPrefix("rlkd: \(model.url.path): the log-probabilities of a completion"))
        #expect(outcome.diagnostics.contains("are the weights whole"))
    }

    @Test func otherModulusIsRefused() throws {
        let model = try makeModel()
        let outcome = try CommandLineProcess.run(["eval", "--model", model.url.path, "task.graphs.modulus=13"])
        #expect(outcome.status == 65)
        #expect(outcome.diagnostics.contains("tokenizer.json") && outcome.diagnostics.contains("modulus"))
    }
}
