import Trajectories

/// Checks a completion for a quantity graph: what an outcome reward asks of a task.
public struct QuantityGraphVerifier: Sendable {
    public init() {}

    /// The final answer is the problem's, wherever reading stopped before it or after.
    public func isCorrect(_ text: String, for problem: Problem) -> Bool {
        guard let answer = problem.answer else { return false }
        return AnswerVerifier.isCorrect(text, reference: answer, style: .quantityGraph)
    }

    /// All of it is in one of the notations, it has a step and it ends with an answer.
    public func isWellFormed(_ text: String, for problem: Problem) -> Bool {
        let reading = QuantityGraphNotation.read(text)
        return reading.isWellFormed && !reading.steps.isEmpty
    }
}

/// Reads the structure of a path in either notation, as far as it is well formed; a path without one readable step throws.
public struct QuantityGraphReader: StructureReader {
    public init() {}

    public func structure(of text: String) throws(UnreadablePath) -> Structure {
        let reading = QuantityGraphNotation.read(text)
        guard !reading.steps.isEmpty else {
            throw UnreadablePath(reason: reading.problem ?? "an answer without a step", offset: 0, in: text)
        }
        return reading.structure
    }
}
