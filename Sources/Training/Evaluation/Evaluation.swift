/// What a student scored on one test set; rates are 0 to 1. What samples tell is nil where none were drawn.
public struct EvaluationResult: Sendable, Codable, Equatable {
    /// Of the greedy completions.
    public var accuracy: Double
    /// Expected accuracy of one sample, and of the best of eight (or of as many as there are, if fewer).
    public var passAt1: Double?
    public var passAt8: Double?
    /// Mean structure reward of the samples.
    public var structure: Double?
    /// Share of the samples in good form.
    public var wellFormed: Double?
    /// Samples whose structure could not be scored, for example without one readable step; they count 0 in `structure`.
    public var structureFailures: Int
    public var problems: Int
}

extension EvaluationResult {
    /// Unbiased estimate of the chance that one of k samples is right (Chen et al., arXiv 2107.03374, equation 1).
    static func passAtK(samples: Int, correct: Int, k: Int) -> Double {
        let k = min(k, samples)
        guard k > 0, correct > 0 else { return 0 }
        guard samples - correct >= k else { return 1 }
        let miss = (samples - correct + 1...samples).reduce(1.0) { $0 * (1 - Double(k) / Double($1)) }
        return 1 - miss
    }
}
