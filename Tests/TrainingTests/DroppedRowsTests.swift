import Foundation
import Models
import Testing
import Tokenizers

@testable import Training

@Suite struct DroppedRowsTests {
    @Test func trainingAndHeldOutRowsAreCountedApart() async throws {
        try await withTemporaryFolder { folder in
            let tokenizer = try Tokenizer.closed(symbols: ["a", "b", "\n"], beginning: "<s>", end: "</s>")
            let shape = ModelConfiguration(
                hiddenSize: 16, intermediateSize: 24, layerCount: 1, attentionHeadCount: 2, keyValueHeadCount: 1,
                vocabularySize: tokenizer.vocabularySize, maxPositions: 8, beginningToken: 0, endTokens: [1])
            let model = folder.appending(path: "model")
            try FileManager.default.createDirectory(at: model, withIntermediateDirectories: true)
            try HuggingFaceDirectory.save(
                Parameters.randomized(configuration: shape, seed: 1), tokenizer: tokenizer, to: model)
            func row(_ length: Int) -> String {
                "{\"question\": \"\(String(repeating: "a", count: length))\", \"answer\": \"b\", \"trace\": \"b\"}"
            }
            func write(_ rows: [Int], _ name: String) throws -> String {
                let file = folder.appending(path: name)
                try Data(rows.map(row).joined(separator: "\n").utf8).write(to: file)
                return file.path
            }
            var configuration = TestRun.configuration()
            configuration.task.kind = .jsonl
            configuration.task.maxNewTokens = 1
            configuration.task.training = try write([1, 20, 2, 30, 40], "training.jsonl")
            configuration.task.test = try write([1, 20, 2], "test.jsonl")
            configuration.student.model = model.path
            let material = try RunMaterial(configuration, logger: TestRun.quietLogger)
            #expect(material.task.dropped == DroppedRows(training: 3, heldOut: 1))
            let description = try TrainingRun(
                configuration: configuration, resuming: false, logger: TestRun.quietLogger
            ).describe()
            #expect(description.contains("rows dropped: 3 training, 1 held-out"))
        }
    }
}
