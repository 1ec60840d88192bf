import Memory
import Models
import Pipelines
import Testing
import Trajectories

@testable import Generation

@Suite struct GeneratorTests {
    private let parameters: Parameters
    private let weights: PolicyWeights

    init() throws {
        parameters = try TestModel.parameters()
        weights = PolicyWeights(parameters)
    }

    private func request(
        _ identifier: Int, prompt: [Int32], samples: Int = 4, new: Int = 20,
        sampling: SamplingParameters = SamplingParameters()
    ) -> GenerationRequest {
        GenerationRequest(
            identifier: identifier, prompt: prompt, sampleCount: samples, maxNewTokens: new, sampling: sampling,
            endTokens: [2], seed: 11, problemKey: UInt64(identifier))
    }

    private var requests: [GenerationRequest] {
        [1, 15, 16, 17, 40].enumerated().map { index, length in
            request(index, prompt: (0..<length).map { Int32(($0 * 7 + index) % 53) })
        }
    }

    private func run(_ generator: Generator, _ requests: [GenerationRequest]) throws -> [Completion] {
        for request in requests {
            try generator.submit(request)
        }
        var completions: [Completion] = []
        while generator.hasWork {
            completions += generator.step(weights)
        }
        return completions.sorted { ($0.identifier, $0.sample) < ($1.identifier, $1.sample) }
    }

    /// The headline promise: what generation records is what the learner computes, bit for bit, however the work was batched.
    @Test(
        arguments: [(1, 1), (3, 5), (7, 256), (64, 16)],
        [SamplingParameters(), SamplingParameters(temperature: 0.6, topK: 9, topP: 0.8)])
    func logProbabilitiesAreTheLearnersBitForBit(
        batch: (capacity: Int, prefill: Int), sampling: SamplingParameters
    ) throws {
        let generator = Generator(
            configuration: parameters.configuration, batchCapacity: batch.capacity, prefillRows: batch.prefill)
        let requests = requests.map { request in
            var copy = request
            copy.sampling = sampling
            return copy
        }
        let completions = try run(generator, requests)
        #expect(completions.count == 20)
        for request in requests {
            let group = completions.filter { $0.identifier == request.identifier }
            var batch = TrainingBatch()
            batch.append(prompt: request.prompt, completions: group.map(\.tokens))
            let pass = Backpropagation(configuration: parameters.configuration)
            pass.forward(batch, weights: weights, temperature: sampling.temperature)
            #expect(group.flatMap(\.logProbabilities).map(\.bitPattern) == pass.logProbabilities.map(\.bitPattern))
        }
    }

    @Test func whatIsSampledDoesNotDependOnScheduling() throws {
        let alone = Generator(configuration: parameters.configuration, batchCapacity: 1)
        let together = Generator(configuration: parameters.configuration, batchCapacity: 64, prefillRows: 7)
        #expect(try run(alone, requests) == run(together, requests.reversed()))
    }

    @Test func samplesOfARequestDiffer() throws {
        let completions = try run(
            Generator(configuration: parameters.configuration, batchCapacity: 8),
            [request(0, prompt: [5, 6], samples: 8)])
        #expect(Set(completions.map(\.tokens)).count > 4)
    }

    @Test func aCompletionEndsAtTheEndTokenOrTheLimit() throws {
        let completions = try run(Generator(configuration: parameters.configuration, batchCapacity: 32), requests)
        for completion in completions {
            #expect(completion.tokens.dropLast().contains(2) == false)
            #expect(completion.tokens.count <= 20)
            switch completion.finishReason {
            case .stop: #expect(completion.tokens.last == 2)
            case .length: #expect(completion.tokens.count == 20 && completion.tokens.last != 2)
            }
        }
        #expect(Set(completions.map(\.finishReason)).count == 2)
    }

    /// The smallest pool serves a queue of long requests one after the other, and gets every page back.
    @Test func aFullPoolDelaysButDoesNotStop() throws {
        let generator = Generator(
            configuration: parameters.configuration, batchCapacity: 16, prefillRows: 8, positionCapacity: 1)
        let long = (0..<6).map { request($0, prompt: (0..<60).map { Int32($0 % 53) }, samples: 5, new: 36) }
        #expect(try run(generator, long).count == 30)
        #expect(try run(generator, long).count == 30)
    }

    @Test func everyTokenNamesItsVersion() throws {
        let generator = Generator(configuration: parameters.configuration, batchCapacity: 4)
        try generator.submit(request(0, prompt: [1, 4, 9], samples: 1, new: 12))
        let newer = PolicyWeights(parameters, version: PolicyVersion(1))
        var completions: [Completion] = []
        var steps = 0
        while generator.hasWork {
            completions += generator.step(steps < 4 ? weights : newer)
            steps += 1
        }
        let versions = try #require(completions.first).versions
        #expect(versions == versions.sorted())
        #expect(versions.prefix(4).allSatisfy { $0 == PolicyVersion(0) })
    }

    /// First tokens are of the version that the prompt was processed under, whenever there is room for their completions.
    @Test func samplesThatWaitForRoomBeginWithWhatTheirPromptGave() throws {
        let newer = PolicyWeights(
            try TestModel.parameters(seed: 8), version: PolicyVersion(1))
        let request = request(0, prompt: [1, 4, 9], samples: 5, new: 3)
        let together = try run(Generator(configuration: parameters.configuration, batchCapacity: 5), [request])
        let generator = Generator(configuration: parameters.configuration, batchCapacity: 1)
        try generator.submit(request)
        var completions: [Completion] = []
        while generator.hasWork {
            completions += generator.step(completions.isEmpty ? weights : newer)
        }
        #expect(completions.map(\.sample) == Array(0..<5))
        #expect(Set(together.map(\.tokens.first)).count > 1, "every sample has its own first token")
        for (waited, begun) in zip(completions, together) {
            #expect(waited.tokens.first == begun.tokens.first)
            #expect(waited.logProbabilities.first?.bitPattern == begun.logProbabilities.first?.bitPattern)
            #expect(waited.versions.first == PolicyVersion(0))
        }
        #expect(completions.last?.versions.dropFirst().allSatisfy { $0 == PolicyVersion(1) } == true)
    }

    /// Of many prompts that are processed and wait for room, none keeps logits.
    @Test func whatRequestsTakeDoesNotGoByTheVocabulary() throws {
        let bytes = try [53, 53, 20_000].map { vocabularySize in
            let weights = PolicyWeights(try TestModel.parameters(vocabularySize: vocabularySize))
            let generator = Generator(configuration: weights.configuration, batchCapacity: 8)
            let before = Allocator.threadAllocatedBytes()
            for index in 0..<8 {
                try generator.submit(
                    GenerationRequest(
                        identifier: index, prompt: [1, 2, 3], sampleCount: 6, maxNewTokens: 5,
                        sampling: SamplingParameters(topK: 5), endTokens: [], seed: 1, problemKey: UInt64(index)))
            }
            var count = 0
            while generator.hasWork { count += generator.step(weights).count }
            #expect(count == 48)
            return Allocator.threadAllocatedBytes() - before
        }
        // The first of all may make what stays.
        #expect(bytes[1] == bytes[2])
    }

    @Test func promptTokensProcessedInVainAreCounted() throws {
        let parameters = try TestModel.parameters()
        let generator = Generator(configuration: parameters.configuration, batchCapacity: 2, prefillRows: 4)
        try generator.submit(
            GenerationRequest(
                identifier: 0, prompt: Array(1...17), sampleCount: 1, maxNewTokens: 3, sampling: SamplingParameters(),
                endTokens: [], seed: 1, problemKey: 1))
        let versions = (0..<4).map { PolicyWeights(parameters, version: PolicyVersion($0)) }
        // Six rows fit a step. A swap before all of the prompt is processed costs what was.
        for (version, tokens) in [(0, 0), (0, 0), (1, 12), (2, 18), (2, 18), (2, 18), (3, 18)] {
            _ = generator.step(versions[version])
            #expect(generator.restarted.tokens == tokens, "\(version)")
        }
        // No clock charges this thread.
        #expect(generator.restarted == RestartedPrompts(tokens: 18))
        #expect(generator.unfinished.rollouts == 1)
        #expect(generator.unfinished.tokens == 2)
    }

    /// What a restart wastes is the prompt's share of what the clock charged the thread for each step, phase by phase: waits for
    /// other threads are no prefill, and rows of others are not the prompt's.
    ///
    /// There is one completion to draw for, which its thread does alone, so all waits of a step are the forward pass's.
    @Test func whatARestartWastesIsWhatTheClockCharged() async throws {
        let parameters = try TestModel.parameters()
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let versions = (0..<3).map { PolicyWeights(parameters, version: PolicyVersion($0)) }
        // Six rows a step: the short prompt's three and three of the long one's; then a decoding row and five of the long one's.
        let steps: [(version: Int, rows: Double)] = [(0, 3), (0, 5), (1, 5), (2, 5)]
        let (restarted, expected) = try await executor.lane(.rollout).run {
            let generator = Generator(
                configuration: parameters.configuration, batchCapacity: 2, prefillRows: 4, threads: 2)
            for (identifier, prompt) in [[Int32](1...3), Array(1...17)].enumerated() {
                try generator.submit(
                    GenerationRequest(
                        identifier: identifier, prompt: prompt, sampleCount: 1, maxNewTokens: 9,
                        sampling: SamplingParameters(), endTokens: [], seed: 1, problemKey: 1))
            }
            var expected = RestartedPrompts(tokens: 3 + 5 + 5)
            for (index, step) in steps.enumerated() {
                let charged = [Phase.prefill, .decode, .synchronize].map { StallClock.nanoseconds($0) }
                _ = generator.step(versions[step.version])
                // The last step's rows are of the version that stays.
                guard index + 1 < steps.count else { break }
                let seconds = zip([Phase.prefill, .decode, .synchronize], charged).map { phase, before in
                    Double(StallClock.nanoseconds(phase) - before) * 1e-9 * step.rows / 6
                }
                #expect((seconds[0] > 0) == (index == 0) && (seconds[1] > 0) == (index > 0))
                expected.prefillSeconds += seconds[0]
                expected.decodeSeconds += seconds[1]
                expected.synchronizeSeconds += seconds[2]
            }
            return (generator.restarted, expected)
        }
        let difference = restarted - expected
        #expect(difference.tokens == 0)
        for seconds in [difference.prefillSeconds, difference.decodeSeconds, difference.synchronizeSeconds] {
            // A thousandth of a nanosecond, for rounding.
            #expect(abs(seconds) < 1e-12)
        }
    }

    @Test func impossibleRequestsAreRefused() {
        let generator = Generator(configuration: parameters.configuration, batchCapacity: 4)
        func refusal(_ change: (inout GenerationRequest) -> Void) -> GenerationRefusal? {
            var bad = request(0, prompt: [1, 2, 3])
            change(&bad)
            do {
                try generator.submit(bad)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal { $0.prompt = [] } == .emptyPrompt)
        #expect(refusal { $0.prompt = [53] } == .tokenOutOfRange(53, vocabularySize: 53))
        #expect(refusal { $0.prompt = [-1] } == .tokenOutOfRange(-1, vocabularySize: 53))
        #expect(refusal { $0.maxNewTokens = 94 } == .tooLong(prompt: 3, maxNewTokens: 94, maxPositions: 96))
        #expect(refusal { $0.maxNewTokens = .max } == .tooLong(prompt: 3, maxNewTokens: .max, maxPositions: 96))
        #expect(refusal { $0.maxNewTokens = 0 } == .noNewTokens(0))
        #expect(refusal { $0.sampleCount = 0 } == .noSamples(0))
        #expect(refusal { $0.sampling.temperature = -1 } != nil)
        #expect(refusal { $0.sampling.topP = 0 } != nil)
        #expect(refusal { $0.sampling.topK = -2 } != nil)
        #expect(generator.hasWork == false)
    }
}
