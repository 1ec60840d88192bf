import ArgumentParser
import Models
import Pipelines

struct BenchRolloutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout",
        abstract: "Tokens a second of generation.",
        discussion: """
            prefill: prompts of random tokens; decode: one token of every completion a step, the batch full throughout. Every \
            thread has an engine of its own. Without --model and --shape: tiny.
            """)

    @Option(help: "Completions that a thread runs at once.")
    var batch = 64

    @Option(help: "Tokens of a prompt.")
    var prompt = 128

    @Option(help: "Decode steps.")
    var new = 128

    @OptionGroup var options: BenchOptions

    func validate() throws {
        try BenchOptions.check(["--batch": batch, "--prompt": prompt, "--new": new])
    }

    func run() async throws {
        try await Failure.reporting {
            let positions = RolloutBench.positions(batch: batch, prompt: prompt, new: new)
            let parameters = try options.shape.parameters(positions: positions)
            let executor = ComputeExecutor(threads: options.compute.threadCount)
            defer { executor.shutdown() }
            let peaks = await MachinePeaks.measure(on: executor)
            let bench = RolloutBench(weights: PolicyWeights(parameters), batch: batch, prompt: prompt, new: new)
            try options.write(
                BenchReport(peaks: peaks, results: try await bench.measure(on: executor, peaks: peaks)))
        }
    }
}
