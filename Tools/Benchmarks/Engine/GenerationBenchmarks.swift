import Benchmark
import Generation
import Memory
import Models
import Trajectories

func generationBenchmarks() {
    for precision in Precision.allCases {
        Benchmark.define("decodeStep.\(precision.rawValue)") {
            try DecodeLoop(precision)
        } body: { loop in
            loop.step()
        }
    }
    sampling("temperature", SamplingParameters())
    sampling("topKTopP", SamplingParameters(topK: 50, topP: 0.9))
    sampling("topP", SamplingParameters(topP: 0.95))
}

/// One draw from 4096 logits.
private func sampling(_ name: String, _ parameters: SamplingParameters) {
    Benchmark.define("sampling.\(name)") {
        Sampling(parameters)
    } body: { sampling in
        sampling.draw()
    }
}

private final class Sampling {
    private static let vocabularySize = 4096

    private let parameters: SamplingParameters
    private let sampler = TokenSampler(vocabularySize: vocabularySize)
    private let logits = AlignedBuffer<Float>(count: vocabularySize)
    private let stream = RandomStream(seed: 1, purpose: .sampling)
    private var position = 0

    init(_ parameters: SamplingParameters) {
        self.parameters = parameters
        for index in 0..<Self.vocabularySize {
            logits.pointer[index] = 2 * stream.normal(at: index).0
        }
    }

    func draw() {
        position += 1
        blackHole(sampler.draw(logits.pointer, parameters: parameters, uniform: stream.uniform(at: position)))
    }
}

/// Steps of a full batch of 32 completions, none of which ends.
private final class DecodeLoop {
    private static let batch = 32
    private static let maxNewTokens = 3000

    private let weights: PolicyWeights
    private let generator: Generator
    private var steps = 0

    init(_ precision: Precision) throws {
        var shape = ModelConfiguration(
            architecture: .qwen2, hiddenSize: 256, intermediateSize: 704, layerCount: 4, attentionHeadCount: 4,
            keyValueHeadCount: 2, vocabularySize: 512, maxPositions: 4096)
        shape.precision = precision
        weights = PolicyWeights(try Parameters.randomized(configuration: shape, seed: 1))
        generator = Generator(configuration: shape, batchCapacity: Self.batch)
        for index in 0..<Self.batch {
            try generator.submit(
                GenerationRequest(
                    identifier: index, prompt: (0..<64).map { Int32(($0 * 7 + index) % 512) },
                    maxNewTokens: Self.maxNewTokens, endTokens: [], seed: 1, problemKey: UInt64(index)))
        }
        while generator.activeCount < Self.batch { _ = generator.step(weights) }
        _ = generator.step(weights)
    }

    func step() {
        precondition(steps < Self.maxNewTokens - 100, "the completions end: run fewer iterations")
        steps += 1
        blackHole(generator.step(weights).count)
    }
}
