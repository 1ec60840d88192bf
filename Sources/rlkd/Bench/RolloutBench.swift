import Generation
import Models
import Pipelines
import Training
import Trajectories

/// Prefill and decoding with random prompts.
struct RolloutBench: Sendable {
    private static let prefillRows = 256

    var weights: PolicyWeights
    var engines: Int
    /// Completions that an engine runs at once: the largest share of them.
    var batch: Int
    /// Tokens of a prompt, and decode steps that are timed.
    var prompt: Int
    var new: Int
    /// Of all engines together.
    var completions: Int
    /// Completions that share a prompt.
    var group: Int

    /// Steps from the first completion's start to the last one's, which are not timed.
    private var ramp: Int { Self.ramp(batch: batch, prompt: prompt, group: group) }

    private static func ramp(batch: Int, prompt: Int, group: Int) -> Int {
        prompts(batch, group) * prompt / prefillRows + 4
    }

    /// Prompts of so many completions.
    static func prompts(_ batch: Int, _ group: Int) -> Int { (batch + group - 1) / group }

    /// Positions that a completion takes.
    private var positions: Int { Self.positions(batch: batch, prompt: prompt, new: new, group: group) }

    static func positions(batch: Int, prompt: Int, new: Int, group: Int) -> Int {
        prompt + ramp(batch: batch, prompt: prompt, group: group) + new
    }

    /// Room for every completion at once with a whole context to spare, each rounded up to whole pages; what a group shares is
    /// there once.
    static func positionCapacity(batch: Int, positions: Int, prompt: Int, group: Int) -> Int {
        (batch + 2) * (positions + 64) - (batch - prompts(batch, group)) * prompt
    }

    /// Of those, as many as are ever there at once, in whole pages.
    static func reachedPositions(batch: Int, positions: Int, prompt: Int, group: Int) -> Int {
        let running = RunningSequences(
            stride(from: 0, to: batch, by: group).map {
                RunningSequences.Request(
                    prompt: prompt, newTokens: positions - prompt, samples: min(group, batch - $0))
            }, batch: batch)
        return min(
            running.positions,
            positionCapacity(batch: batch, positions: positions, prompt: prompt, group: group))
    }

    private struct Rates {
        var prefill = 0.0
        var decode = 0.0
    }

    func measure(on executor: ComputeExecutor) async throws -> [BenchResult] {
        let total = try await withThrowingTaskGroup(of: Rates.self) { group in
            for engine in 0..<engines {
                let share = completions / engines + (engine < completions % engines ? 1 : 0)
                group.addTask(executorPreference: executor.lane(.rollout)) {
                    try measure(
                        engine, share,
                        threads: Generator.threadsSharing(engines: engines, threads: executor.threads))
                }
            }
            return try await group.reduce(into: Rates()) { sum, part in
                sum.prefill += part.prefill
                sum.decode += part.decode
            }
        }
        let operations = OperationCount(configuration: weights.configuration)
        let prefill = operations.prefill(prompt) / Double(prompt)
        let decode = operations.forward(
            rows: 1, logits: 1, context: Double(prompt) + Double(ramp) / 2 + Double(new) / 2)
        return [
            BenchResult(
                name: "decode", tokensPerSecond: total.decode, gigaflops: total.decode * decode * 1e-9),
            BenchResult(
                name: "prefill", tokensPerSecond: total.prefill, gigaflops: total.prefill * prefill * 1e-9),
        ]
    }

    /// Tokens a second of one engine, the second time round: the first touches all memory, and sees what the weights make.
    private func measure(_ engine: Int, _ batch: Int, threads: Int) throws -> Rates {
        var shape = weights.configuration
        shape.maxPositions = positions
        let generator = Generator(
            configuration: shape, batchCapacity: batch, prefillRows: Self.prefillRows,
            positionCapacity: Self.positionCapacity(
                batch: batch, positions: positions, prompt: prompt, group: group), threads: threads)
        for tokens in [1, ramp + new] {
            try submit(batch, to: generator, engine: engine, maxNewTokens: tokens)
            while generator.hasWork {
                for completion in generator.step(weights) {
                    guard completion.logProbabilities.allSatisfy(\.isFinite) else { throw NonFiniteCompletion() }
                }
            }
        }
        try submit(batch, to: generator, engine: engine, maxNewTokens: 1)
        let prefill = ContinuousClock().measure {
            while generator.hasWork { _ = generator.step(weights) }
        }
        try submit(batch, to: generator, engine: engine, maxNewTokens: ramp + new)
        while generator.hasWork, generator.activeCount < batch { _ = generator.step(weights) }
        let decode = ContinuousClock().measure {
            for _ in 0..<new { _ = generator.step(weights) }
        }
        return Rates(
            prefill: Double(Self.prompts(batch, group) * prompt) / prefill.seconds,
            decode: Double(batch * new) / decode.seconds)
    }

    private func submit(_ batch: Int, to generator: Generator, engine: Int, maxNewTokens: Int) throws {
        for index in stride(from: 0, to: batch, by: group) {
            try generator.submit(
                GenerationRequest(
                    identifier: index,
                    prompt: RandomTokens.draw(
                        prompt, vocabularySize: weights.configuration.vocabularySize, row: engine * self.batch + index),
                    sampleCount: min(group, batch - index), maxNewTokens: maxNewTokens, endTokens: [], seed: 1,
                    problemKey: UInt64(index)))
        }
    }
}

/// A completion whose log-probabilities are not all numbers.
struct NonFiniteCompletion: Error, CustomStringConvertible {
    var description: String { "the log-probabilities of a completion are not numbers" }
}

/// Token ids that mean nothing.
enum RandomTokens {
    static func draw(_ count: Int, vocabularySize: Int, row: Int) -> [Int32] {
        let stream = RandomStream(seed: 1, purpose: .problems, problem: UInt64(row))
        return (0..<count).map { Int32(stream.words(at: $0).x % UInt32(vocabularySize)) }
    }
}
