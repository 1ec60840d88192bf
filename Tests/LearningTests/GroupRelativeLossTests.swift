import Foundation
import TestSupport
import Testing

@testable import Learning

@Suite struct GroupRelativeLossTests {
    /// A rollout's tokens in memory of their own.
    struct Tokens {
        var logProbabilities: [Float]
        var behaviour: [Float]
        var reference: [Float]?
        var isSampled: [Bool]
        var advantage: Float

        func evaluate(
            _ loss: GroupRelativeLoss, weight: Float = 1
        ) -> (loss: Double, coefficients: [Float], statistics: LossStatistics) {
            var coefficients = [Float](repeating: .nan, count: behaviour.count)
            var statistics = LossStatistics()
            let value = logProbabilities.withUnsafeBufferPointer { logProbabilities in
                behaviour.withUnsafeBufferPointer { behaviour in
                    (reference ?? []).withUnsafeBufferPointer { reference in
                        isSampled.withUnsafeBufferPointer { isSampled in
                            coefficients.withUnsafeMutableBufferPointer {
                                loss.evaluate(
                                    RolloutTokens(
                                        logProbabilities: logProbabilities, behaviour: behaviour,
                                        reference: self.reference == nil ? nil : reference, isSampled: isSampled,
                                        advantage: advantage), weight: weight, coefficients: $0, statistics: &statistics
                                )
                            }
                        }
                    }
                }
            }
            return (value, coefficients, statistics)
        }

        init(
            ratio: Float, advantage: Float, reference: Float? = nil
        ) {
            self.init(
                logProbabilities: [log(ratio) - 1], behaviour: [-1], reference: reference.map { [$0] },
                isSampled: [true], advantage: advantage)
        }

        init(
            logProbabilities: [Float], behaviour: [Float], reference: [Float]?, isSampled: [Bool], advantage: Float
        ) {
            self.logProbabilities = logProbabilities
            self.behaviour = behaviour
            self.reference = reference
            self.isSampled = isSampled
            self.advantage = advantage
        }
    }

    @Test func advantagesAreStandardised() {
        let loss = GroupRelativeLoss(deviationFloor: 0)
        // Mean 4, squared deviations 9, 1, 0, 1, 9 over 4: deviation √5.
        let advantages = loss.advantages(rewards: [1, 3, 4, 5, 7])
        for (advantage, expected) in zip(advantages, [-3, -1, 0, 1, 3]) {
            #expect(abs(Double(advantage) - Double(expected) / 5.0.squareRoot()) < 1e-6)
        }
    }

    @Test func aGroupOfEqualRewardsTeachesNothing() {
        #expect(GroupRelativeLoss().advantages(rewards: [7.5, 7.5, 7.5]) == [0, 0, 0])
        #expect(GroupRelativeLoss().advantages(rewards: [3]) == [0])
        #expect(GroupRelativeLoss().advantages(rewards: []) == [])
    }

    @Test func theFloorIsAddedToTheDeviation() {
        let advantages = GroupRelativeLoss(deviationFloor: 1).advantages(rewards: [0, 2])
        #expect(abs(Double(advantages[1]) - 1 / (2.0.squareRoot() + 1)) < 1e-6)
    }

    /// Ratio, advantage, loss, derivative, clipped: with ε = 0.2.
    @Test(arguments: [
        (1.5, 2.0, -2.4, 0.0, 1), (0.5, 2.0, -1.0, -1.0, 0), (1.5, -2.0, 3.0, 3.0, 0), (0.5, -2.0, 1.6, 0.0, 1),
        (1.0, 2.0, -2.0, -2.0, 0), (1.1, -1.0, 1.1, 1.1, 0), (3.0, 0.0, 0.0, 0.0, 0),
    ])
    func theClipByHand(ratio: Double, advantage: Double, loss: Double, derivative: Double, clipped: Int) {
        let (value, coefficients, statistics) = Tokens(ratio: Float(ratio), advantage: Float(advantage)).evaluate(
            GroupRelativeLoss(clip: 0.2))
        #expect(abs(value - loss) < 1e-6)
        #expect(abs(Double(coefficients[0]) - derivative) < 1e-6)
        #expect(statistics.clipped == clipped)
        #expect(statistics.tokens == 1)
        #expect(abs(statistics.ratioSum - ratio) < 1e-6)
        #expect(abs(statistics.ratioDeviation - abs(ratio - 1)) < 1e-6)
    }

    /// k3 = e^g − g − 1 with g = log(ref / p), whose derivative by log p is 1 − e^g.
    @Test func theReferenceTermByHand() {
        let tokens = Tokens(ratio: 1, advantage: 0, reference: -1 + log(Float(2)))
        let (value, coefficients, statistics) = tokens.evaluate(GroupRelativeLoss(referenceWeight: 0.5))
        let divergence = 2 - log(2.0) - 1
        #expect(abs(value - 0.5 * divergence) < 1e-6)
        #expect(abs(Double(coefficients[0]) - 0.5 * (1 - 2)) < 1e-6)
        #expect(abs(statistics.referenceDivergence - divergence) < 1e-6)
        #expect(GroupRelativeLoss(referenceWeight: 0.5).needsReference)
        #expect(!GroupRelativeLoss().needsReference)
    }

    @Test func givenTokensCarryNoLoss() {
        let tokens = Tokens(
            logProbabilities: [-1, .infinity, -3], behaviour: [-1, 0, -3], reference: nil,
            isSampled: [true, false, true], advantage: 2)
        let (value, coefficients, statistics) = tokens.evaluate(GroupRelativeLoss(), weight: 0.5)
        #expect(value == -1)
        #expect(coefficients == [-0.5, 0, -0.5])
        #expect(statistics.tokens == 2)
        var none = tokens
        none.isSampled = [false, false, false]
        let empty = none.evaluate(GroupRelativeLoss())
        #expect(empty.loss == 0)
        #expect(empty.coefficients == [0, 0, 0])
        #expect(empty.statistics == LossStatistics())
    }

    @Test func coefficientsAreTheSlopeOfTheLoss() {
        var random = SeededGenerator(seed: 5)
        var checked = 0
        for _ in 0..<200 {
            let count = Int.random(in: 1...6, using: &random)
            func values(_ range: ClosedRange<Float>) -> [Float] {
                (0..<count).map { _ in Float.random(in: range, using: &random) }
            }
            let behaviour = values(-3 ... -0.1)
            let shift = values(-0.6...0.6)
            let drift = values(-1...1)
            var tokens = Tokens(
                logProbabilities: zip(behaviour, shift).map { $0 + $1 }, behaviour: behaviour,
                reference: Bool.random(using: &random) ? zip(behaviour, drift).map { $0 + $1 } : nil,
                isSampled: (0..<count).map { _ in Int.random(in: 0...3, using: &random) > 0 },
                advantage: Float.random(in: -2...2, using: &random))
            let loss = GroupRelativeLoss(clip: 0.2, referenceWeight: tokens.reference == nil ? 0 : 0.3)
            let coefficients = tokens.evaluate(loss, weight: 0.7).coefficients
            for index in 0..<count {
                let ratio = exp(shift[index])
                // The slope is not defined at the clip.
                if abs(ratio - 1.2) < 0.02 || abs(ratio - 0.8) < 0.02 { continue }
                let place = tokens.logProbabilities[index]
                let step: Float = 4e-3
                tokens.logProbabilities[index] = place + step
                let above = tokens.evaluate(loss, weight: 0.7).loss
                tokens.logProbabilities[index] = place - step
                let below = tokens.evaluate(loss, weight: 0.7).loss
                tokens.logProbabilities[index] = place
                let slope = (above - below) / Double((place + step) - (place - step))
                #expect(abs(slope - Double(coefficients[index])) < 3e-4)
                checked += 1
            }
        }
        #expect(checked > 300)
    }

    // MARK: PyTorch

    struct Case: Decodable {
        struct Rollout: Decodable {
            var behaviour: [Float]
            var logProbabilities: [Float]
            var reference: [Float]
            var isSampled: [Bool]
            var coefficients: [Double]
        }

        var clip: Float
        var referenceWeight: Float
        var rewards: [Double]
        var advantages: [Double]
        var loss: Double
        var clipped: Int
        var tokens: Int
        var referenceDivergence: Double
        var rollouts: [Rollout]
    }

    @Test func lossAndGradientAreThoseOfPyTorch() throws {
        let cases = try Fixture.decode([Case].self, "group-relative.json")
        #expect(cases.contains { $0.clipped > 3 })
        for fixture in cases {
            let loss = GroupRelativeLoss(clip: fixture.clip, referenceWeight: fixture.referenceWeight)
            let advantages = loss.advantages(rewards: fixture.rewards)
            #expect(zip(advantages, fixture.advantages).allSatisfy { abs(Double($0) - $1) < 1e-6 })
            var total = 0.0
            var statistics = LossStatistics()
            for (rollout, advantage) in zip(fixture.rollouts, advantages) {
                let result = Tokens(
                    logProbabilities: rollout.logProbabilities, behaviour: rollout.behaviour,
                    reference: loss.needsReference ? rollout.reference : nil, isSampled: rollout.isSampled,
                    advantage: advantage
                ).evaluate(loss, weight: 1 / Float(fixture.rollouts.count))
                total += result.loss
                statistics.add(result.statistics)
                for (coefficient, expected) in zip(result.coefficients, rollout.coefficients) {
                    #expect(abs(Double(coefficient) - expected) < 1e-6 * max(1, abs(expected)))
                }
            }
            #expect(abs(total - fixture.loss) < 2e-6 * max(1, abs(fixture.loss)))
            #expect(statistics.clipped == fixture.clipped)
            #expect(statistics.tokens == fixture.tokens)
            if loss.needsReference {
                #expect(abs(statistics.referenceDivergence - fixture.referenceDivergence) < 1e-5)
            }
        }
    }
}
