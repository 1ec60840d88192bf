import Foundation
import Memory
import Testing

@testable import Generation

/// SplitMix64 (Steele et al. 2014).
private struct TestGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

@Suite struct TokenSamplerTests {
    private let logits: [Float] = [0.3, 2.0, -1.0, 1.2, 0.3, -4.0]

    private func draw(_ parameters: SamplingParameters, _ uniform: Float) -> TokenSampler.Draw {
        TokenSampler(vocabularySize: logits.count).draw(logits, parameters: parameters, uniform: uniform)
    }

    private func exactProbabilities(temperature: Double) -> [Double] {
        let weights = logits.map { exp(Double($0) / temperature) }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    @Test func greedyTakesTheLargestLogitWithItsUntemperedLogProbability() {
        let drawn = draw(.greedy, 0.99)
        #expect(drawn.token == 1)
        #expect(abs(Double(drawn.logProbability) - log(exactProbabilities(temperature: 1)[1])) < 1e-6)
    }

    /// Even steps through [0, 1) meet every token as often as its probability says.
    @Test(arguments: [0.5, 1.0, 2.0])
    func frequenciesAreTheProbabilities(temperature: Double) {
        let steps = 20_000
        var counts = [Int](repeating: 0, count: logits.count)
        let parameters = SamplingParameters(temperature: Float(temperature))
        let sampler = TokenSampler(vocabularySize: logits.count)
        for step in 0..<steps {
            let drawn = sampler.draw(logits, parameters: parameters, uniform: (Float(step) + 0.5) / Float(steps))
            counts[Int(drawn.token)] += 1
        }
        for (count, probability) in zip(counts, exactProbabilities(temperature: temperature)) {
            #expect(abs(Double(count) / Double(steps) - probability) < 2e-4)
        }
    }

    @Test func topKKeepsTheMostProbableAndTheLowerIdOfEquals() {
        let drawn = Set((0..<200).map { draw(SamplingParameters(topK: 3), Float($0) / 200).token })
        #expect(drawn == [0, 1, 3])
    }

    @Test func topPKeepsTheSmallestSetThatReachesIt() {
        let probabilities = exactProbabilities(temperature: 1)
        let two = Float(probabilities[1] + probabilities[3])
        let exact = Set((0..<200).map { draw(SamplingParameters(topP: two - 1e-3), Float($0) / 200).token })
        #expect(exact == [1, 3])
        let more = Set((0..<200).map { draw(SamplingParameters(topP: two + 1e-3), Float($0) / 200).token })
        #expect(more == [0, 1, 3])
        #expect(draw(SamplingParameters(topP: 1e-6), 0.999).token == 1)
    }

    @Test func filtersLeaveTheLogProbabilityAlone() {
        let plain = (0..<200).map { draw(SamplingParameters(temperature: 0.7), Float($0) / 200) }
        let known = Dictionary(plain.map { ($0.token, $0.logProbability) }, uniquingKeysWith: { first, _ in first })
        for step in 0..<200 {
            let drawn = draw(SamplingParameters(temperature: 0.7, topK: 2, topP: 0.9), Float(step) / 200)
            #expect(known[drawn.token] == drawn.logProbability)
        }
    }

    /// Against a full sort, on random distributions with many equals.
    @Test func candidatesAreThoseOfAFullSort() {
        var generator = TestGenerator(state: 3)
        for trial in 0..<300 {
            let count = Int.random(in: 1...700, using: &generator)
            let raw = (0..<count).map { _ in exp(Float(Int.random(in: 0...40, using: &generator)) / 5) }
            let sum = raw.reduce(0, +)
            let probabilities = raw.map { $0 / sum }
            let parameters = SamplingParameters(
                topK: trial % 3 == 0 ? 0 : Int.random(in: 1...count, using: &generator),
                topP: trial % 2 == 0 ? Float.random(in: 0.01...1, using: &generator) : 1)
            var sorted = (0..<count).sorted {
                probabilities[$0] == probabilities[$1] ? $0 < $1 : probabilities[$0] > probabilities[$1]
            }
            if parameters.topK > 0 { sorted = Array(sorted.prefix(parameters.topK)) }
            if parameters.topP < 1 {
                let mass = parameters.topK == 0 ? 1 : sorted.sorted().reduce(Float(0)) { $0 + probabilities[$1] }
                var running: Float = 0
                sorted = Array(
                    sorted.prefix { token in
                        defer { running += probabilities[token] }
                        return running < parameters.topP * mass
                    })
            }
            var candidates = CandidateTokens(vocabularySize: count)
            candidates.keep(parameters, of: probabilities, count: count)
            // The mass to reach is a sum in another order: the last token may differ.
            let difference = Set(sorted.map(Int32.init)).symmetricDifference(candidates.tokens)
            #expect(difference.count <= (parameters.topK > 0 && parameters.topP < 1 ? 1 : 0), "trial \(trial)")
            #expect(candidates.tokens == candidates.tokens.sorted())
        }
    }

    /// Thousands of candidates, flat, rising and falling with their ids or in disorder: many more than a draw usually keeps.
    @Test(arguments: [
        .greedy, SamplingParameters(), SamplingParameters(topK: 3000), SamplingParameters(topP: 0.99),
        SamplingParameters(topK: 2000, topP: 0.9),
    ])
    func drawsAllocateNothing(parameters: SamplingParameters) throws {
        var generator = TestGenerator(state: 5)
        let orders: [(Int) -> Float] = [
            { _ in 0 }, { Float($0) / 5000 }, { -Float($0) / 5000 },
            { _ in Float.random(in: 0..<1, using: &generator) },
        ]
        for order in orders {
            let logits = (0..<5000).map(order)
            let sampler = TokenSampler(vocabularySize: logits.count)
            // The process's first use of a kernel chooses the instruction set.
            var tokens = SIMD4(repeating: sampler.draw(logits, parameters: parameters, uniform: 0).token)
            let count = try Allocator.count {
                for index in 0..<4 {
                    tokens[index] = sampler.draw(logits, parameters: parameters, uniform: Float(index) / 4).token
                }
            }
            #expect(count.allocations == 0)
            #expect(parameters == .greedy || Set(tokens.indices.map { tokens[$0] }).count == 4)
        }
    }
}
