import Trajectories

/// How the parts of a reward make up its total: Σ weight × value.
///
/// A part whose weight is nil is not evaluated; one of weight 0 is evaluated and shown but does not count.
///
/// With `alpha`, as in the paper (α · GSRM + (1 − α) · outcome): the structure's weight is multiplied by α, those of accuracy,
/// format and tag count by 1 − α. The overlong penalty is left as it is. The weights in a `Reward` are the effective ones, so
/// its total always is the weighted sum of its terms.
public struct RewardComposition: Sendable, Codable, Hashable {
    public var accuracy: Double?
    public var format: Double?
    public var tagCount: Double?
    public var structure: Double?
    public var overlong: Double?
    public var overlongPenalty: OverlongPenalty?
    /// 0 to 1; nil leaves the weights as they are.
    public var alpha: Double?

    /// The weights of the paper's released code.
    public init(
        accuracy: Double? = 15, format: Double? = 10, tagCount: Double? = 10, structure: Double? = 15,
        overlong: Double? = nil, overlongPenalty: OverlongPenalty? = nil, alpha: Double? = nil
    ) {
        self.accuracy = accuracy
        self.format = format
        self.tagCount = tagCount
        self.structure = structure
        self.overlong = overlong
        self.overlongPenalty = overlongPenalty
        self.alpha = alpha
    }

    /// The values of the parts that were evaluated; the others are nil.
    public struct Values: Sendable, Hashable {
        public var accuracy: Double?
        public var format: Double?
        public var tagCount: Double?
        public var structure: Double?
        public var overlong: Double?

        public init(
            accuracy: Double? = nil, format: Double? = nil, tagCount: Double? = nil, structure: Double? = nil,
            overlong: Double? = nil
        ) {
            self.accuracy = accuracy
            self.format = format
            self.tagCount = tagCount
            self.structure = structure
            self.overlong = overlong
        }
    }

    /// A term for each part that has a weight. A part that has one but no value counts 0; the failure then says why.
    public func reward(_ values: Values, steps: [StepExplanation] = [], failure: String? = nil) -> Reward {
        let outcomeShare = alpha.map { 1 - $0 } ?? 1
        let parts: [(name: String, value: Double?, weight: Double?)] = [
            ("accuracy", values.accuracy, accuracy.map { $0 * outcomeShare }),
            ("format", values.format, format.map { $0 * outcomeShare }),
            ("tagCount", values.tagCount, tagCount.map { $0 * outcomeShare }),
            ("structure", values.structure, structure.map { $0 * (alpha ?? 1) }),
            ("overlong", values.overlong, overlong),
        ]
        let terms = parts.compactMap { part in
            part.weight.map { RewardTerm(name: part.name, value: part.value ?? 0, weight: $0) }
        }
        let total = terms.reduce(0) { $0 + $1.weight * $1.value }
        return Reward(total: total, terms: terms, steps: steps, failure: failure)
    }
}
