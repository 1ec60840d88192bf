/// An algorithm: how a group's rewards become advantages, and what each token's log-probability then costs.
public protocol PolicyLoss: Sendable {
    /// One advantage a rollout of a group.
    func advantages(rewards: [Double]) -> [Float]

    /// The loss of one rollout and its derivative by each token's log-probability.
    ///
    /// - Parameters:
    ///   - tokens: the rollout's tokens under the current weights.
    ///   - weight: this rollout's share of the batch.
    ///   - coefficients: dLoss/dlogProbability, one a token; overwritten.
    /// - Returns: the rollout's part of the loss.
    func evaluate(
        _ tokens: RolloutTokens, weight: Float, coefficients: UnsafeMutableBufferPointer<Float>,
        statistics: inout LossStatistics
    ) -> Double

    /// Whether `RolloutTokens.reference` is needed.
    var needsReference: Bool { get }
}

/// One rollout's tokens, as the learner sees them.
public struct RolloutTokens {
    /// log p(token) under the current weights.
    public var logProbabilities: UnsafeBufferPointer<Float>
    /// log p(token) that the behaviour policy recorded.
    public var behaviour: UnsafeBufferPointer<Float>
    /// log p(token) under the reference model, where the loss needs it.
    public var reference: UnsafeBufferPointer<Float>?
    /// False for tokens that were given, not sampled: they carry no loss.
    public var isSampled: UnsafeBufferPointer<Bool>
    public var advantage: Float

    public init(
        logProbabilities: UnsafeBufferPointer<Float>, behaviour: UnsafeBufferPointer<Float>,
        reference: UnsafeBufferPointer<Float>?, isSampled: UnsafeBufferPointer<Bool>, advantage: Float
    ) {
        self.logProbabilities = logProbabilities
        self.behaviour = behaviour
        self.reference = reference
        self.isSampled = isSampled
        self.advantage = advantage
    }
}

/// Sums over the tokens of a batch, for metrics.
public struct LossStatistics: Sendable, Equatable {
    public var tokens = 0
    /// Tokens whose clipped ratio was the smaller term, so that they gave no gradient.
    public var clipped = 0
    public var ratioSum = 0.0
    /// Largest |ratio − 1|: exactly 0 when learner and generation agree bit for bit.
    public var ratioDeviation = 0.0
    /// Σ k3 of behaviour against current policy, nats.
    public var behaviourDivergence = 0.0
    /// Σ k3 of current policy against the reference, nats.
    public var referenceDivergence = 0.0

    public init() {}

    public mutating func add(_ other: LossStatistics) {
        tokens += other.tokens
        clipped += other.clipped
        ratioSum += other.ratioSum
        ratioDeviation = max(ratioDeviation, other.ratioDeviation)
        behaviourDivergence += other.behaviourDivergence
        referenceDivergence += other.referenceDivergence
    }
}
