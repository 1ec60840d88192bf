import Foundation
import Testing

@testable import Generation

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
}
