/// One step of a reasoning path (RLKD, arXiv 2505.16142, section 3): the meta-reasoning that chooses a sub-problem, the
/// sub-problem, and its answer.
public struct Step: Sendable, Codable, Hashable {
    public var metaReasoning: String
    public var subProblem: String
    public var answer: String

    public init(metaReasoning: String, subProblem: String, answer: String) {
        self.metaReasoning = metaReasoning
        self.subProblem = subProblem
        self.answer = answer
    }
}

/// A path decomposed: its steps in order.
public struct Structure: Sendable, Codable, Hashable {
    public var steps: [Step]

    public init(steps: [Step]) {
        self.steps = steps
    }
}
