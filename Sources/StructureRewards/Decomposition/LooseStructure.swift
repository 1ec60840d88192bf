import Trajectories

/// Meta-reasonings, sub-problems and answers as three lists that need not be equally long.
///
/// The paper's released code takes the three apart from one another and aligns them by position; only
/// `Compatibility.reference` uses this.
public struct LooseStructure: Sendable, Codable, Hashable {
    public var metaReasonings: [String]
    public var subProblems: [String]
    public var answers: [String]

    public init(metaReasonings: [String], subProblems: [String], answers: [String]) {
        self.metaReasonings = metaReasonings
        self.subProblems = subProblems
        self.answers = answers
    }

    public init(_ structure: Structure) {
        self.init(
            metaReasonings: structure.steps.map(\.metaReasoning), subProblems: structure.steps.map(\.subProblem),
            answers: structure.steps.map(\.answer))
    }
}
