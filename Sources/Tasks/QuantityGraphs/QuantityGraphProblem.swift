import Trajectories

/// A graph as a problem, with what evaluation needs to know of it.
public struct QuantityGraphProblem: Sendable, Hashable {
    public var graph: QuantityGraph
    /// One trace, its structure left to a decomposer.
    public var problem: Problem
    public var completionLimit: CompletionLimit

    /// How many definitions the question needs.
    public var size: Int { graph.needed.count }
}

/// Where a completion is cut: the teacher's steps and a slack, so that choosing badly costs.
public struct CompletionLimit: Sendable, Hashable, Codable {
    /// The teacher's steps and the slack.
    public var steps: Int
    /// In the student's notation: so many steps, the final answer and one end-of-sequence.
    public var studentTokens: Int
    /// In the teacher's, its longest phrasings taken.
    public var teacherTokens: Int

    public func tokens(in notation: QuantityGraphNotation) -> Int {
        switch notation {
        case .student: studentTokens
        case .teacher: teacherTokens
        }
    }

    /// A step of the slack counts as the longest step there is.
    public init(graph: QuantityGraph, slackSteps: Int) {
        let path = graph.teacherPath()
        func tokens(_ notation: QuantityGraphNotation) -> Int {
            notation.tokenBound(of: path, in: graph)
                + slackSteps * notation.tokenBound(of: .solve(graph.question), isLeaf: false)
        }
        steps = path.count + slackSteps
        studentTokens = tokens(.student)
        teacherTokens = tokens(.teacher)
    }
}
