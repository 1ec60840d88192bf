import ArgumentParser
import Learning
import Models
import Pipelines
import Training

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

    @Option(help: "Rows of a micro-batch in train, about, and half those in grpo.")
    var microBatchRows = LearnerConfiguration.usualMicroBatchRows

    @OptionGroup var options: BenchOptions

    func validate() throws {
        try OptionRange.check(["--batch": batch, "--prompt": prompt, "--length": length])
        try OptionRange.check(["--micro-batch-rows": microBatchRows], to: LearnerSettings.largestMicroBatchRows)
    }

    private var learner: LearnerConfiguration { LearnerBench.configuration(microBatchRows: microBatchRows) }

    func run() async throws {
        try await Failure.reporting {
            let shape = try options.shape.configuration(precision: options.compute.dtype) { _ in
                (prompt + length, "--prompt \(prompt) and --length \(length)")
            }
            try need(of: shape).check()
            let parameters = try options.shape.parameters(of: shape)
            options.noteThreads()
            let executor = ComputeExecutor(threads: options.threadCount)
            defer { executor.shutdown() }
            let peaks = await MachinePeaks.measure(on: executor)
            let bench = LearnerBench(
                parameters: parameters, batch: batch, prompt: prompt, length: length, configuration: learner)
            let results = try await options.shape.measure { try await bench.measure(on: executor) }
            try options.write(
                await BenchReport(results, of: options.compute.dtype, peaks: peaks, measuredAgainOn: executor))
        }
    }

    private func need(of shape: ModelConfiguration) -> MemoryNeed {
        let sizes = MemoryCause.largest(of: ["--batch": batch, "--prompt": prompt, "--length": length])
        var need = options.shape.need(of: shape, positions: sizes)
        let memory = ModelMemory(shape)
        let threads = options.threadCount
        let imitated = Double(learner.largestMicroBatch(demonstrations: batch, lengths: length...length))
        let sampled = Double(
            learner.largestMicroBatch(rollouts: LearnerBench.groupSize, lengths: length...length))
        let imitating = learner.microBatches(demonstrations: batch, rows: batch * length)
        let reinforcing = learner.microBatches(
            groups: LearnerBench.groups(of: batch), rollouts: LearnerBench.groupSize,
            rows: LearnerBench.groupSize * length)
        let imitation = memory.learner(
            rows: imitated, longest: Double(length),
            passes: Learner.passes(microBatches: imitating, threads: threads, cores: threads, shape))
        let reinforcement = memory.learner(
            rows: Double(prompt) + sampled, targets: sampled, longest: Double(prompt + length),
            passes: Learner.passes(microBatches: reinforcing, threads: threads, cores: threads, shape))
        let least = memory.learner(rows: 1)
        // Beyond the rows that the learner aims at, memory goes by the lengths.
        let isLong =
            imitation > reinforcement
            ? Int(imitated) > microBatchRows
            : prompt + Int(sampled) > learner.rolloutRows
        let fixed = options.shape.cause(of: shape, or: .option("--threads", value: "\(threads)"))
        let ofPasses =
            microBatchRows > LearnerConfiguration.usualMicroBatchRows
            ? MemoryCause.option("--micro-batch-rows", value: "\(microBatchRows)") : fixed
        // The learner's own weights beside those read, and the version that it writes beside the one that it reads.
        need.add(
            MemoryNeed.program + memory.stacks(threads: threads) + memory.parameters + memory.policyWeights + least,
            fixed)
        need.add(max(imitation, reinforcement) - least, isLong ? sizes : ofPasses)
        need.add(
            Double(batch + LearnerBench.groupSize) * Double(prompt + length) * LearnerBench.bytesPerToken, sizes)
        // The machine is measured when the weights alone are there, before and after.
        let measuring = MemoryNeed.program + memory.stacks(threads: threads) + memory.parameters + MachinePeaks.bytes
        need.add(max(0, measuring - need.bytes), fixed)
        return need
    }
}
