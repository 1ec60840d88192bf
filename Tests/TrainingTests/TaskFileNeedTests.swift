import Foundation
import Models
import Testing
import Tokenizers

@testable import Training

/// What the files of a task come to.
@Suite struct TaskFileNeedTests {
    /// A large file of which few rows are used: what reading it takes is counted where it is more than all that follows.
    @Test func readingTaskFilesIsCounted() throws {
        let shape = MemoryNeedTests.shapes[1]
        func need(reading bytes: Double, problems: Int) -> MemoryNeed {
            var configuration = RunConfiguration()
            configuration.task.kind = .jsonl
            configuration.task.training = "rows.jsonl"
            configuration.threads = 2
            var lengths = SequenceLengths(longest: 200)
            (lengths.readingBytes, lengths.problems) = (bytes, problems)
            return MemoryNeed(configuration, model: shape, lengths: lengths, cores: 2)
        }
        let none = need(reading: 0, problems: 10)
        #expect(none.parts.allSatisfy { $0.name != "reading the task's files" })
        // What little it takes is free again for all that follows; the whole of most.
        #expect(need(reading: none.bytes / 4, problems: 10).bytes == none.bytes)
        let huge = 100 * none.bytes
        #expect((1...1.1).contains(need(reading: huge, problems: 10).bytes / huge))
        let error = #expect(throws: InsufficientMemory.self) {
            try need(reading: huge, problems: 10).check(available: Int(huge / 2))
        }
        #expect(error?.cause == .key("task.training", value: "rows.jsonl"))
    }

    /// Of whole texts: the rows and the size of a file are counted.
    @Test func aTaskFileIsCountedByItsRowsAndItsSize() async throws {
        try await withTemporaryFolder { folder in
            let tokenizer = try Tokenizer.closed(symbols: ["a", "b", "\n"], beginning: "<s>", end: "</s>")
            let shape = ModelConfiguration(
                hiddenSize: 16, intermediateSize: 24, layerCount: 1, attentionHeadCount: 2, keyValueHeadCount: 1,
                vocabularySize: tokenizer.vocabularySize, maxPositions: 8, beginningToken: 0, endTokens: [1])
            try HuggingFaceDirectory.save(
                Parameters.randomized(configuration: shape, seed: 1), tokenizer: tokenizer, to: folder)
            let text = String(repeating: "{\"question\": \"a\", \"answer\": \"b\", \"trace\": \"b\"}\n", count: 1000)
            let file = folder.appending(path: "rows.jsonl")
            try Data(text.utf8).write(to: file)
            var configuration = TestRun.configuration()
            configuration.task.kind = .jsonl
            configuration.task.maxNewTokens = 1
            configuration.task.training = file.path
            configuration.student.model = folder.path
            let material = try RunMaterial(configuration, logger: TestRun.quietLogger)
            #expect(material.task.training.count == 5)
            #expect(material.task.readingBytes == 2 * Double(text.utf8.count) + 400 * 1000)
            // As a cache of downloads has them.
            let link = folder.appending(path: "link.jsonl")
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
            configuration.task.training = link.path
            let linked = try RunMaterial(configuration, logger: TestRun.quietLogger)
            #expect(linked.task.readingBytes == material.task.readingBytes)
        }
    }
}
