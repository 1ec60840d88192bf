import ArgumentParser
import Models
import Pipelines
import Training

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
        try OptionRange.check(["--batch": batch, "--prompt": prompt, "--new": new])
    }

    func run() async throws {
        try await Failure.reporting {
            let positions = RolloutBench.positions(batch: batch, prompt: prompt, new: new)
            let shape = try options.shape.configuration(
                positions: positions, precision: options.compute.dtype)
            try need(of: shape, positions: positions).check()
            let parameters = try options.shape.parameters(of: shape)
            let executor = ComputeExecutor(threads: options.compute.threadCount)
            defer { executor.shutdown() }
            let peaks = await MachinePeaks.measure(on: executor)
            let bench = RolloutBench(weights: PolicyWeights(parameters), batch: batch, prompt: prompt, new: new)
            try options.write(
                BenchReport(peaks: peaks, results: try await bench.measure(on: executor, peaks: peaks)))
        }
    }

    private func need(of shape: ModelConfiguration, positions: Int) -> MemoryNeed {
        let sizes = MemoryCause.largest(of: ["--batch": batch, "--prompt": prompt, "--new": new])
        var need = options.shape.need(of: shape, positions: sizes)
        let generator = ModelMemory(shape).generator(
            batch: Double(batch), longest: Double(positions),
            positions: Double(RolloutBench.positionCapacity(batch: batch, positions: positions)))
        // What a generator takes for one short completion goes by the model alone.
        let least = ModelMemory(shape).generator(batch: 1, longest: 1)
        let threads = Double(options.compute.threadCount)
        need.add(
            threads * least + MachinePeaks.bytes,
            options.shape.cause(of: shape, or: .option("--threads", value: "\(options.compute.threadCount)")))
        need.add(threads * (generator - least + Double(batch) * Double(prompt) * 4), sizes)
        return need
    }
}
