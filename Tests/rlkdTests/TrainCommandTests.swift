import Foundation
import Testing

/// What `train` takes and says, on a run that takes a moment.
@Suite struct TrainCommandTests {
    private static let small = [
        "arms=[rlkd]", "steps=1", "warmup.steps=1", "warmup.batchSize=2", "task.trainingProblems=2",
        "task.testProblems=1",
        "evaluation.samples=2", "student.hiddenSize=16", "student.layers=1", "student.attentionHeads=2",
        "student.keyValueHeads=1", "student.intermediateSize=24", "reinforcement.problemsPerBatch=1",
        "reinforcement.groupSize=2",
    ]

    @Test func itEndsWithWhatItWroteAndTheDirectory() throws {
        let folder = try TemporaryFolder()
        let output = folder.url.appending(path: "run").path
        let outcome = try CommandLineProcess.run(["train", "--threads", "1", "output=\(output)"] + Self.small)
        #expect(outcome.status == 0, "\(outcome.diagnostics)")
        let lines = outcome.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.first?.contains("pass@2") == true)
        let written = [
            "summary.json", "metrics.jsonl", "rollouts", "checkpoints/base/step-1", "checkpoints/step-1", "trace.json",
        ]
        #expect(lines.suffix(9) == [""] + written.map { "\(output)/\($0)" } + [output, ""])
        for path in written { #expect(FileManager.default.fileExists(atPath: "\(output)/\(path)")) }
        let configuration = try String(contentsOfFile: "\(output)/config.yaml", encoding: .utf8)
        #expect(configuration.contains("\nthreads: 1\n"))
    }

    @Test func aRunThatDivergesSaysWhereAndKeepsItsBatch() throws {
        let folder = try TemporaryFolder()
        let output = folder.url.appending(path: "run").path
        let outcome = try CommandLineProcess.run(
            ["train", "output=\(output)"] + Self.small
                + ["warmup.steps=4", "warmup.learningRate=1e38", "optimizer.weightDecay=1e38"])
        #expect(outcome.status == 65)
        let line = outcome.diagnostics.split(separator: "\n").last ?? ""
        #expect(
            line.hasPrefix("rlkd: the run diverged: in phase base, step 1, a weight is not "), "\(outcome.diagnostics)")
        #expect(line.contains("\(output)/failed-batch-base-step-1.json"))
        #expect(line.contains("lower warmup.learningRate (it is 1e+38)"))
    }

    /// What takes longer than a moment is told of before it begins.
    @Test func manyProblemsAreAnnounced() throws {
        for (count, isTold) in [(20_001, true), (19_000, false)] {
            let outcome = try CommandLineProcess.run(
                ["train", "--dry-run", "task.trainingProblems=\(count - 2)", "task.testProblems=1"])
            #expect(outcome.status == 0)
            #expect(outcome.text.contains("# training problems: \(count - 2); "))
            #expect(outcome.diagnostics.contains("making \(count) problems") == isTold, "\(outcome.diagnostics)")
        }
    }

    @Test func theVersionIsThePackages() throws {
        let outcome = try CommandLineProcess.run(["--version"])
        #expect(outcome.status == 0)
        #expect(outcome.text == "0.1.0\n")
    }
}
