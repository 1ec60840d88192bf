import Models
import Testing

@testable import Training

/// Runs that no memory holds, and what they name.
@Suite struct MemoryRefusalTests {
    /// Passes over millions of rows have a figure, and what was asked for beyond the usual is named.
    @Test(arguments: [
        (["warmup.batchSize=20000", "learner.microBatchRows=16777216"], "learner.microBatchRows"),
        (["maxStaleness=10000000", "arms=grpo"], "maxStaleness"),
    ])
    func whatTakesMostIsNamed(overrides: [String], key: String) throws {
        let configuration = try ConfigurationReader.read(file: nil, overrides: overrides)
        let need = MemoryNeed(
            configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250), cores: 2)
        let error = #expect(throws: InsufficientMemory.self) { try need.check(available: 1 << 30) }
        #expect("\(try #require(error))".contains(key))
        #expect(need.bytes < 1e15)
    }

    @Test func whatDoesNotFitNamesItsLargestPart() {
        var need = MemoryNeed()
        need.add(100, .option("--batch", value: "7"))
        need.add(3000, .field("tokens", of: "rows.jsonl", line: 4, value: "9 tokens long"))
        #expect(throws: Never.self) { try need.check(available: 3100) }
        let error = #expect(throws: InsufficientMemory.self) { try need.check(available: 2048) }
        #expect(
            error?.description
                == "rows.jsonl, line 4: tokens: is 9 tokens long: the work would take about 3.0 KiB of memory, and 2.0 KiB are "
                + "there")
    }

    @Test(arguments: [
        ("student.hiddenSize=1048572", "student.hiddenSize"),
        ("student.intermediateSize=1048576", "student.intermediateSize"),
        ("reinforcement.problemsPerBatch=16777216", "reinforcement.problemsPerBatch"),
        ("reinforcement.groupSize=16777216", "reinforcement.groupSize"),
        ("evaluation.samples=16777216", "evaluation.samples"), ("warmup.batchSize=16777216", "warmup.batchSize"),
    ])
    func aRunThatCannotFitNamesItsKey(override: String, key: String) throws {
        var configuration = try ConfigurationReader.read(file: nil, overrides: [override])
        configuration.threads = 2
        try configuration.validate()
        let student = configuration.student
        let model = ModelConfiguration(
            hiddenSize: student.hiddenSize, intermediateSize: student.intermediateSize, layerCount: student.layers,
            attentionHeadCount: student.attentionHeads, keyValueHeadCount: student.keyValueHeads, vocabularySize: 80,
            maxPositions: student.maxPositions)
        let need = MemoryNeed(configuration, model: model, lengths: SequenceLengths(longest: 200), cores: 2)
        let error = #expect(throws: InsufficientMemory.self) { try need.check(available: 300 << 20) }
        guard case .key(let named, _) = error?.cause else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(named == key)
    }

    @Test func problemsAreCountedBeforeTheyAreMade() throws {
        let configuration = try ConfigurationReader.read(file: nil, overrides: ["task.trainingProblems=16777216"])
        let error = #expect(throws: InsufficientMemory.self) {
            try MemoryNeed(problemsOf: configuration).check(available: 1 << 30)
        }
        #expect(error?.cause == .key("task.trainingProblems", value: "16777216"))
    }
}
