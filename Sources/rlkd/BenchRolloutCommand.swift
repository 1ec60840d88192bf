import ArgumentParser
import Generation
import Models
import Pipelines
import Training

struct BenchRolloutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout",
        abstract: "Tokens a second of generation.",
        discussion: """
            prefill: prompts of random tokens, up to the last one's logits; decode: one token of every completion a step, the \
            batch full throughout. With --group, prefill counts a prompt once; decode counts operations as if each \
            completion had its prompt to itself. The batch is shared out over engines: one a thread or, where each would \
            have few completions, fewer, whose steps the threads share. Without --model and \
            --shape: tiny.
            """)

    @Option(help: "Completions at once, of all threads together.")
    var batch = 64

    @Option(help: "Tokens of a prompt.")
    var prompt = 128

    @Option(help: "Decode steps.")
    var new = 128

    @Option(help: "Completions of an engine that share a prompt.")
    var group = 1

    @OptionGroup var options: BenchOptions

    func validate() throws {
        try OptionRange.check(["--batch": batch, "--prompt": prompt, "--new": new, "--group": group])
        guard group <= batch else {
            throw ValidationError("--group is \(group): the batch has \(batch) completions")
        }
    }

    func run() async throws {
        try await Failure.reporting {
            let shape = try options.shape.configuration(precision: options.compute.dtype, positions: positionsTaken)
            let engines = engines(shape)
            let share = share(engines)
            let positions = positionsTaken(by: shape).count
            let directory = try options.shape.directory(precision: options.compute.dtype)
            try need(of: shape, directory, engines: engines, share: share, positions: positions).check()
            options.noteThreads()
            if group > share {
                Diagnostics.logger.warning(
                    "--group is \(group): an engine has \(share) completions of the batch, so no more share a prompt")
            }
            let executor = ComputeExecutor(threads: options.threadCount)
            defer { executor.shutdown() }
            let peaks = await MachinePeaks.measure(on: executor)
            let weights = try await weights(of: shape, directory, positions: positions, on: executor)
            let bench = RolloutBench(
                weights: weights, engines: engines, batch: share, prompt: prompt, new: new, completions: batch,
                group: group)
            let results = try await options.shape.measure { try await bench.measure(on: executor) }
            try options.write(
                await BenchReport(results, of: options.compute.dtype, peaks: peaks, measuredAgainOn: executor))
        }
    }

    private func engines(_ shape: ModelConfiguration) -> Int {
        Generator.engines(threads: options.threadCount, completions: batch, requests: batch, configuration: shape)
    }

    /// Completions of the engine that has most.
    private func share(_ engines: Int) -> Int { (batch + engines - 1) / engines }

    /// What the first completion of an engine takes: it goes on while the others' prompts are computed.
    private func positionsTaken(by shape: ModelConfiguration) -> (count: Int, options: String) {
        let share = share(engines(shape))
        let count = RolloutBench.positions(batch: share, prompt: prompt, new: new, group: group)
        return (
            count,
            "--prompt \(prompt), --new \(new) and the \(count - prompt - new) steps until all \(share) completions of an "
                + "engine run (of --batch \(batch))"
        )
    }

    private func weights(
        of shape: ModelConfiguration, _ directory: ModelDirectory?, positions: Int, on executor: ComputeExecutor
    ) async throws -> PolicyWeights {
        if let directory { return try await executor.weights(of: directory.weights, positions: positions) }
        let lane = executor.lane(.rollout)
        return try await lane.run {
            try PolicyWeights.randomized(configuration: shape, seed: 1) { lane.concurrentPerform(tiles: $0, $1) }
        }
    }

    private func need(
        of shape: ModelConfiguration, _ directory: ModelDirectory?, engines: Int, share: Int, positions: Int
    ) -> MemoryNeed {
        let sizes = MemoryCause.largest(of: ["--batch": batch, "--prompt": prompt, "--new": new])
        let fixed = options.shape.cause(of: shape, or: .option("--threads", value: "\(options.threadCount)"))
        let memory = ModelMemory(shape)
        var need = MemoryNeed()
        if let directory {
            need = directory.servingNeed(positions: positions, threads: options.threadCount)
        } else {
            need.add(
                MemoryNeed.program + memory.stacks(threads: options.threadCount) + memory.policyWeights
                    + memory.packing(threads: options.threadCount), fixed)
            need.add(memory.rotaryTable, sizes)
        }
        let weights = need.bytes
        let sharing = Generator.threadsSharing(engines: engines, threads: options.threadCount)
        let generator = memory.generator(
            batch: Double(share), longest: Double(positions),
            positions: Double(
                RolloutBench.reachedPositions(batch: share, positions: positions, prompt: prompt, group: group)),
            promptTokens: Double(RolloutBench.prompts(share, group)) * Double(prompt), logits: Double(share),
            threads: sharing)
        // What a generator takes for one short completion goes by the model alone.
        let least = memory.generator(batch: 1, longest: 1, promptTokens: 1, logits: 1, threads: sharing)
        need.add(Double(engines) * least, fixed)
        need.add(Double(engines) * (generator - least + Double(share) * Double(prompt) * 4), sizes)
        // The machine is measured again when the weights alone are left.
        need.add(max(0, weights + MachinePeaks.bytes - need.bytes), fixed)
        return need
    }
}
