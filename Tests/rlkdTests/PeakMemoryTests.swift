import Foundation
import Logging
import Models
import Pipelines
import Tasks
import Testing
import Training

@testable import rlkd

/// What a dry run says against what the system counts.
@Suite(.timeLimit(.minutes(30)))
struct PeakMemoryTests {
    /// A learner that takes as much as the evaluation after it: either is right alone, both together would be half as much again.
    @Test(arguments: [["evaluation.samples=0", "sft.batchSize=16"], ["evaluation.samples=7", "sft.batchSize=1"]])
    func aRunTakesWhatItsDryRunSays(overrides: [String]) throws {
        try expectEstimate(["threads=1"] + overrides, cores: 1)
    }

    /// More threads than cores, with a micro-batch for each. How many passes there are at once goes by the cores, so it is two of them
    /// on any machine.
    @Test(.enabled(if: ProcessorCores.available.count > 1, "there is one core"))
    func passesAtOnceAreCounted() throws {
        try expectEstimate(["threads=16", "evaluation.samples=0", "sft.batchSize=96"], cores: 2)
    }

    private func expectEstimate(_ overrides: [String], cores count: Int) throws {
        let cores = Array(ProcessorCores.available.prefix(count))
        let folder = try TemporaryFolder()
        let arguments =
            [
                "train", "output=\(folder.url.appending(path: "run").path)", "arms=sft", "warmup.steps=0",
                "sft.steps=1", "task.trainingProblems=16", "task.testProblems=8", "student.hiddenSize=256",
                "student.attentionHeads=4", "student.keyValueHeads=4", "student.intermediateSize=512",
                "student.layers=3",
            ] + overrides
        let dry = try CommandLineProcess.peak(arguments + ["--dry-run"], cores: cores)
        let estimate = try #require(Self.bytes(of: "memory, about", in: dry.output))
        let others = Self.bytes(of: "the other threads' passes", in: dry.output) ?? 0
        #expect((others > 0) == (count > 1))
        let taken = try CommandLineProcess.peak(arguments, cores: cores).bytes
        #expect((0.85...1.15).contains(estimate / taken), "\(estimate) estimated, \(taken) taken")
    }

    /// With a large vocabulary logits are what takes most: of few rows at a time where prompts take far more steps than completions,
    /// of all completions where each prompt has many.
    @Test(arguments: [["--max-new-tokens", "8"], ["--max-new-tokens", "4", "--samples", "8", "--temperature", "1"]])
    func logitsAreCountedWhereTheVocabularyIsLarge(settings: [String]) throws {
        let folder = try TemporaryFolder()
        let shape = ModelConfiguration(
            hiddenSize: 16, intermediateSize: 16, layerCount: 1, attentionHeadCount: 1, keyValueHeadCount: 1,
            vocabularySize: 100_000, maxPositions: 256)
        try HuggingFaceDirectory.save(
            Parameters.randomized(configuration: shape, seed: 1), tokenizer: nil, to: folder.url)
        let rows = (0..<64).map { id in "{\"id\": \(id), \"tokens\": \((0..<200).map { 500 * $0 + id })}" }
        let prompts = try folder.write(rows.joined(separator: "\n"), to: "prompts.jsonl")
        let arguments =
            ["generate", "--model", folder.url.path, "--prompts", prompts, "--batch", "64", "--threads", "1"] + settings
        let command = try #require(try RLKDCommand.parseAsRoot(arguments) as? GenerateCommand)
        let directory = try ModelDirectory(
            folder.url.path, precision: .float32, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let plan = try GenerationPlan(
            rows: JSONLinesFile.map(path: prompts, GenerateRow.init), model: directory,
            settings: GenerationPlan.Settings(
                sampling: .greedy, samples: command.samples, maxNewTokens: command.maxNewTokens, seed: 0))
        let estimate = command.need(of: plan, directory).bytes
        let taken = try CommandLineProcess.peak(arguments).bytes
        #expect((0.87...1.13).contains(estimate / taken), "\(estimate) estimated, \(taken) taken")
    }

    /// Of a row of a dry run's table.
    private static func bytes(of name: String, in text: String) -> Double? {
        let row = text.split(separator: "\n").first { $0.contains(name) }?.split(separator: " ")
        let units = ["KiB": 0x1p10, "MiB": 0x1p20, "GiB": 0x1p30]
        guard let row, row.count > 2, let number = Double(row[row.count - 2]) else { return nil }
        return units[String(row[row.count - 1])].map { number * $0 }
    }
}
