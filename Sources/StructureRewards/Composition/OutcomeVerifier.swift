import Trajectories

/// Checks a completion without looking at its structure. A task provides one.
public protocol OutcomeVerifier: Sendable {
    /// Whether the completion's final answer is the problem's.
    func isCorrect(_ text: String, for problem: Problem) -> Bool

    /// Whether the completion keeps to the format that the task asks for.
    func isWellFormed(_ text: String, for problem: Problem) -> Bool

    /// The share of the expected tags, or of the steps, that the completion has in good form, 0 to 1.
    /// By default 1 if it is well formed, else 0.
    func tagFraction(_ text: String, for problem: Problem) -> Double
}

extension OutcomeVerifier {
    public func tagFraction(_ text: String, for problem: Problem) -> Double {
        isWellFormed(text, for: problem) ? 1 : 0
    }
}
