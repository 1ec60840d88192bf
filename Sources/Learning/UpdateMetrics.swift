import Trajectories

/// What one optimizer step found.
public struct UpdateMetrics: Sendable, Codable, Equatable {
    /// From 1.
    public var step: Int
    /// The version that the step published.
    public var version: PolicyVersion
    public var loss: Double
    public var learningRate: Double
    /// Global norm before clipping.
    public var gradientNorm: Double
    /// Tokens that carried loss.
    public var tokens: Int
    /// Mean entropy at these tokens, nats.
    public var entropy: Double
    /// Mean ratio of current to behaviour probability, and the largest |ratio − 1|.
    public var ratio: Double
    public var ratioDeviation: Double
    public var clipFraction: Double
    /// k3 estimates a token, nats: of behaviour from current policy, and of current policy from the reference.
    public var behaviourDivergence: Double
    public var referenceDivergence: Double

    init(
        step: Int, version: PolicyVersion, learningRate: Double, gradientNorm: Double, outcome: GradientJob.Outcome
    ) {
        let statistics = outcome.statistics
        let count = Double(max(1, statistics.tokens))
        self.step = step
        self.version = version
        self.learningRate = learningRate
        self.gradientNorm = gradientNorm
        loss = outcome.loss
        tokens = statistics.tokens
        entropy = outcome.entropySum / Double(max(1, outcome.targets))
        ratio = statistics.ratioSum / count
        ratioDeviation = statistics.ratioDeviation
        clipFraction = Double(statistics.clipped) / count
        behaviourDivergence = statistics.behaviourDivergence / count
        referenceDivergence = statistics.referenceDivergence / count
    }
}
