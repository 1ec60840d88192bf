/// An evaluation in which a model, of finite weights, came to log-probabilities that are not numbers: it solved nothing and failed at
/// nothing, so there is no score to give.
public struct NonFiniteEvaluation: Error, CustomStringConvertible {
    /// Of the first such completion.
    public let problem: String

    var finding: String { "the log-probabilities of a completion of problem \(problem) are not numbers" }

    public var description: String {
        "\(finding); are the weights whole, and is evaluation.temperature sane?"
    }
}
