import ArgumentParser
import Generation
import Learning
import Models
import Pipelines
import Training

struct BenchPipelineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline",
        abstract: "Completion tokens a second of GRPO from end to end.",
        discussion: """
            grpo: rollout, a reward that costs nothing, and learning, as stages joined by queues; completions all have the full \
            length. The time is that between updates, the first left out. Where the core time went goes to standard error. \
            Without --model and --shape: tiny.
            """)

    @Option(help: "Problems of an update.")
    var batch = 8

    @Option(help: "Completions of a problem.")
    var samples = 8

    @Option(help: "Tokens of a prompt.")
    var prompt = 32

    @Option(help: "Tokens of a completion.")
    var new = 128

    @Option(help: "Versions that rollouts may lag behind the update that consumes them; 0 is synchronous.")
    var maxStaleness = 0

    @Option(help: "Updates that are timed.")
    var updates = 5

    @OptionGroup var options: BenchOptions

    func validate() throws {
        try OptionRange.check([
            "--batch": batch, "--samples": samples, "--prompt": prompt, "--new": new, "--updates": updates,
        ])
        try OptionRange.check(["--max-staleness": maxStaleness], from: 0)
    }

    func run() async throws {
        try await Failure.reporting {
            let shape = try options.shape.configuration(precision: options.compute.dtype) { _ in
                (prompt + new, "--prompt \(prompt) and --new \(new)")
            }
            try need(of: shape).check()
            let parameters = try options.shape.parameters(of: shape)
            options.noteThreads()
            let executor = ComputeExecutor(threads: options.threadCount)
            defer { executor.shutdown() }
            let peaks = await MachinePeaks.measure(on: executor)
            let bench = PipelineBench(
                parameters: parameters, problems: batch, samples: samples, prompt: prompt, new: new,
                maxStaleness: maxStaleness, updates: updates)
            let result = try await options.shape.measure { try await bench.measure(on: executor) }
            let stalls = executor.clock.report()
            try options.write(
                await BenchReport([result], of: options.compute.dtype, peaks: peaks, measuredAgainOn: executor))
            Diagnostics.logger.notice("where the core time went:\n\(stalls.table)")
        }
    }

    private func need(of shape: ModelConfiguration) -> MemoryNeed {
        let sizes = MemoryCause.largest(
            of: ["--batch": batch, "--samples": samples, "--prompt": prompt, "--new": new])
        let fixed = options.shape.cause(of: shape, or: .option("--threads", value: "\(options.threadCount)"))
        var need = options.shape.need(of: shape, positions: sizes)
        let memory = ModelMemory(shape)
        let completions = Double(batch) * Double(samples)
        let length = Double(prompt + new)
        let learner = LearnerBench.configuration()
        let targets = Double(learner.largestMicroBatch(rollouts: samples, lengths: new...new))
        let passes = Learner.passes(
            microBatches: learner.microBatches(groups: batch, rollouts: samples, rows: samples * new),
            threads: options.threadCount, cores: options.threadCount, shape)
        let least = memory.learner(rows: 1)
        // The version that workers read beside the one that the learner writes.
        need.add(
            MemoryNeed.program + memory.stacks(threads: options.threadCount) + memory.policyWeights + least, fixed)
        let workers = Generator.engines(
            threads: options.threadCount, completions: batch * samples, requests: batch, configuration: shape)
        let engines = Double(workers)
        let share = (completions / engines).rounded(.up)
        // A group has its prompt once.
        let prompts = (share / Double(samples)).rounded(.up) * Double(prompt)
        need.add(
            memory.learner(
                rows: Double(prompt) + targets, targets: targets, longest: length, passes: passes)
                - least
                + engines
                * memory.generator(
                    batch: share, longest: length, positions: prompts + share * Double(new + 16), promptTokens: prompts,
                    logits: share, threads: Generator.threadsSharing(engines: workers, threads: options.threadCount))
                + Double(maxStaleness + 1) * completions * length * LearnerBench.bytesPerToken, sizes)
        // The machine is measured when the weights alone are there, before and after.
        let measuring =
            MemoryNeed.program + memory.stacks(threads: options.threadCount) + memory.parameters + MachinePeaks.bytes
        need.add(max(0, measuring - need.bytes), fixed)
        return need
    }
}
