import Models
import Pipelines
import TestSupport
import Testing
import Trajectories

@testable import Generation

/// Threads that share an engine's steps.
@Suite(.timeLimit(.minutes(30))) struct SharedStepTests {
    /// Steps whose members meet, and tokens of the longest completions.
    private static let steps = 12

    private static func completions(
        _ weights: PolicyWeights, threads: Int, running: Int = .max, batch: Int, prefillRows: Int,
        meeting: Rendezvous? = nil
    ) throws -> [Completion] {
        let generator = Generator(
            configuration: weights.configuration, batchCapacity: batch, prefillRows: prefillRows, threads: threads,
            running: running)
        meeting?.join(generator, drawing: batch >= min(threads, running))
        for (index, length) in [1, 15, 16, 17, 40, 3, 64].enumerated() {
            try generator.submit(
                GenerationRequest(
                    identifier: index, prompt: (0..<length).map { Int32(($0 * 7 + index) % 53) }, sampleCount: 3,
                    maxNewTokens: steps, sampling: SamplingParameters(topK: index, topP: 0.9),
                    endTokens: index < 2 ? [] : [2], seed: 11, problemKey: UInt64(index)))
        }
        var completions: [Completion] = []
        while generator.hasWork {
            meeting?.beginStep()
            completions += generator.step(weights)
        }
        return completions.sorted { ($0.identifier, $0.sample) < ($1.identifier, $1.sample) }
    }

    /// Tokens and log-probabilities are those of one thread, bit for bit: of steps in which all threads take part for certain, and of
    /// those in which they may. Of the larger vocabulary's panels, each thread takes several at once.
    ///
    /// All threads draw, too, where the batch has room for a draw of each. The first two prompts have six completions: as many of them
    /// as there is room for, more than threads, begin in the first step, and none ends before the last step in which threads meet. So
    /// each of these steps has a draw for each thread; if one had not, a thread would be missing.
    @Test(
        arguments: [Precision.float32, .bfloat16],
        [(2, 64, 256, 700), (2, 64, 256, 53), (3, 5, 33, 700), (4, 1, 7, 53), (4, 7, 9, 1100)])
    func theyComputeTheSameBits(
        precision: Precision, shape: (threads: Int, batch: Int, prefillRows: Int, vocabulary: Int)
    ) async throws {
        let weights = PolicyWeights(
            try TestModel.parameters(vocabularySize: shape.vocabulary, precision: precision))
        let alone = try Self.completions(weights, threads: 1, batch: shape.batch, prefillRows: shape.prefillRows)
        let executor = ComputeExecutor(threads: shape.threads, pinned: false)
        defer { executor.shutdown() }
        let meeting = Rendezvous(
            places: shape.threads, programs: shape.batch >= shape.threads ? 2 : 1, steps: Self.steps)
        let shared = try await executor.lane(.rollout).run {
            try Self.completions(
                weights, threads: shape.threads, batch: shape.batch, prefillRows: shape.prefillRows,
                meeting: meeting)
        }
        #expect(meeting.succeeded, "a thread did not take part")
        #expect(alone.count == 21)
        #expect(shared == alone)
    }

    /// Of threads that take turns at fewer cores, as many share a step as there are cores: any of them.
    @Test func noMoreShareAStepThanCanRun() async throws {
        let weights = PolicyWeights(try TestModel.parameters(vocabularySize: 700))
        let alone = try Self.completions(weights, threads: 1, batch: 64, prefillRows: 256)
        let executor = ComputeExecutor(threads: 5, pinned: false)
        defer { executor.shutdown() }
        let meeting = Rendezvous(places: 2, programs: 2, steps: Self.steps)
        let shared = try await executor.lane(.rollout).run {
            try Self.completions(weights, threads: 5, running: 2, batch: 64, prefillRows: 256, meeting: meeting)
        }
        #expect(meeting.succeeded, "a thread did not take part")
        #expect(shared == alone)
    }

    /// Engines for so many completions on each number of threads.
    private func engines(_ completions: Int, threads: [Int], _ configuration: ModelConfiguration) -> [Int] {
        threads.map {
            Generator.engines(
                threads: $0, completions: completions, requests: completions, configuration: configuration)
        }
    }

    @Test func aFewThreadsMoreThanEnginesShareNoSteps() {
        func sharing(_ engines: [Int], threads: Int) -> [Int] {
            engines.map { Generator.threadsSharing(engines: $0, threads: threads) }
        }
        #expect(sharing([1, 2], threads: 2) == [2, 1])
        #expect(sharing([1, 2, 3], threads: 3) == [3, 3, 1])
        #expect(sharing([2, 13, 14, 15, 16], threads: 16) == [16, 16, 1, 1, 1])
        #expect([1, 2].map { Generator.threadsSharing(engines: $0, threads: 16, running: 2) } == [16, 1])
    }

    private func model(hiddenSize: Int, layers: Int) -> ModelConfiguration {
        ModelConfiguration(
            hiddenSize: hiddenSize, intermediateSize: 4 * hiddenSize, layerCount: layers, attentionHeadCount: 8,
            keyValueHeadCount: 8, vocabularySize: 512, maxPositions: 64)
    }

    @Test func everyEngineHasCompletionsEnough() throws {
        let cached = try TestModel.parameters().configuration
        #expect(engines(64, threads: [1, 2, 16, 64], cached) == [1, 2, 16, 16])
        #expect(engines(7, threads: [1, 2, 16], cached) == [1, 1, 1])
        #expect(engines(8, threads: [1, 2, 16], cached) == [1, 2, 2])
        #expect(engines(0, threads: [1, 16], cached) == [1, 1])
        let groups = [0, 1, 3, 64].map {
            Generator.engines(threads: 16, completions: 256, requests: $0, configuration: cached)
        }
        #expect(groups == [1, 1, 3, 16])
    }

    @Test func modelsBeyondCachesHaveFewerEngines() {
        let beyond = model(hiddenSize: 512, layers: 4)
        #expect(engines(64, threads: [1, 2, 4, 8, 16, 64], beyond) == [1, 2, 4, 4, 2, 1])
        #expect(engines(15, threads: [1, 2, 16], beyond) == [1, 1, 1])
        #expect(engines(10_000, threads: [1, 2, 16], beyond) == [1, 2, 16])
        let large = model(hiddenSize: 1024, layers: 16)
        #expect(engines(10_000, threads: [1, 2, 8, 9, 64], large) == [1, 1, 1, 2, 8])
        #expect(engines(64, threads: [1, 2, 8, 9, 64], large) == [1, 1, 1, 2, 1])
    }
}
