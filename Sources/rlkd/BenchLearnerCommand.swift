import ArgumentParser
import Models
import Pipelines

struct BenchLearnerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "learner",
        abstract: "Tokens a second of whole updates.",
        discussion: """
            train: imitation of sequences; grpo: groups of 8 completions that share a prompt. Forward, backward, optimizer and \
            the publication of the weights are all in the time. Without --model and --shape: tiny.
            """)

    @Option(help: "Sequences of an update.")
    var batch = 64

    @Option(help: "Tokens of a prompt, in grpo.")
    var prompt = 64

    @Option(help: "Tokens of a sequence or completion.")
    var length = 128

    @OptionGroup var options: BenchOptions

    func validate() throws {
        try BenchOptions.check(["--batch": batch, "--prompt": prompt, "--length": length])
    }

    func run() async throws {
        try await Failure.reporting {
            let parameters = try options.shape.parameters(positions: max(prompt, 1) + length)
            let executor = ComputeExecutor(threads: options.compute.threadCount)
            defer { executor.shutdown() }
            let peaks = await MachinePeaks.measure(on: executor)
            let bench = LearnerBench(parameters: parameters, batch: batch, prompt: prompt, length: length)
            try options.write(
                BenchReport(peaks: peaks, results: try await bench.measure(on: executor, peaks: peaks)))
        }
    }
}
