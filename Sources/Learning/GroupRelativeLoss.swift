import Foundation

/// GRPO (DeepSeekMath, arXiv 2402.03300, section 4.1): the group's mean is the baseline, its standard deviation the scale;
/// a clipped ratio a token, averaged over each rollout and then over rollouts; optionally the k3 estimate of the divergence
/// from a reference model (equation 4).
public struct GroupRelativeLoss: PolicyLoss {
    /// ε: ratios beyond 1 ± ε give no gradient where the clip makes the objective smaller.
    public var clip: Float
    /// β: weight of the divergence from the reference; 0 leaves it out.
    public var referenceWeight: Float
    /// Added to the standard deviation, in units of reward.
    public var deviationFloor: Double

    public init(clip: Float = 0.2, referenceWeight: Float = 0, deviationFloor: Double = 1e-4) {
        self.clip = clip
        self.referenceWeight = referenceWeight
        self.deviationFloor = deviationFloor
    }

    public var needsReference: Bool { referenceWeight != 0 }

    public func advantages(rewards: [Double]) -> [Float] {
        guard rewards.count > 1 else { return rewards.map { _ in 0 } }
        let mean = rewards.reduce(0, +) / Double(rewards.count)
        let variance = rewards.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rewards.count - 1)
        return rewards.map { Float(($0 - mean) / (variance.squareRoot() + deviationFloor)) }
    }

    public func evaluate(
        _ tokens: RolloutTokens, weight: Float, coefficients: UnsafeMutableBufferPointer<Float>,
        statistics: inout LossStatistics
    ) -> Double {
        let sampled = tokens.isSampled.reduce(0) { $0 + ($1 ? 1 : 0) }
        guard sampled > 0 else {
            coefficients.update(repeating: 0)
            return 0
        }
        let share = weight / Float(sampled)
        var loss = 0.0
        for index in coefficients.indices {
            guard tokens.isSampled[index] else {
                coefficients[index] = 0
                continue
            }
            let difference = tokens.logProbabilities[index] - tokens.behaviour[index]
            let ratio = exp(difference)
            // An infinite ratio of a rollout without advantage weighs nothing, not infinity times zero.
            let plain = tokens.advantage == 0 ? 0 : ratio * tokens.advantage
            let clipped = min(max(ratio, 1 - clip), 1 + clip) * tokens.advantage
            var objective = min(plain, clipped)
            var derivative = plain <= clipped ? plain : 0
            if let reference = tokens.reference {
                let gap = reference[index] - tokens.logProbabilities[index]
                let divergence = exp(gap) - gap - 1
                objective -= referenceWeight * divergence
                derivative -= referenceWeight * (1 - exp(gap))
                statistics.referenceDivergence += Double(divergence)
            }
            coefficients[index] = -derivative * share
            loss -= Double(objective * share)
            statistics.tokens += 1
            statistics.clipped += plain > clipped ? 1 : 0
            statistics.ratioSum += Double(ratio)
            statistics.ratioDeviation = max(statistics.ratioDeviation, Double(abs(ratio - 1)))
            statistics.behaviourDivergence += Double(ratio - 1 - difference)
        }
        return loss
    }
}
