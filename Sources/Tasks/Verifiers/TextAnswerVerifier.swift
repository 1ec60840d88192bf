import Trajectories

/// Checks a completion in prose: its final answer, stated in one style, against the reference.
public struct TextAnswerVerifier: Sendable, Hashable {
    public var style: AnswerStyle

    public init(style: AnswerStyle) {
        self.style = style
    }

    public func isCorrect(_ text: String, for problem: Problem) -> Bool {
        guard let answer = problem.answer else { return false }
        return AnswerVerifier.isCorrect(text, reference: answer, style: style)
    }

    /// It states a final answer in this style.
    public func isWellFormed(_ text: String, for problem: Problem) -> Bool {
        AnswerVerifier.extractAnswer(from: text, style: style) != nil
    }
}
