/// One weighted part of a reward.
public struct RewardTerm: Sendable, Codable, Hashable {
    /// `accuracy`, `format`, `tagCount`, `structure`, `overlong`.
    public var name: String
    public var value: Double
    public var weight: Double

    public init(name: String, value: Double, weight: Double) {
        self.name = name
        self.value = value
        self.weight = weight
    }
}

/// How one step of the student was held against the teacher's.
public struct StepExplanation: Sendable, Codable, Hashable {
    /// Index of the student's step.
    public var step: Int
    /// Index of the teacher's step that it was held against, if any.
    public var teacherStep: Int?
    public var sameMetaReasoning: Bool
    public var sameSubProblem: Bool
    public var sameAnswer: Bool
    /// What the step earned, before the sum is normalised.
    public var reward: Double
    /// One sentence for a person.
    public var note: String

    public init(
        step: Int, teacherStep: Int?, sameMetaReasoning: Bool, sameSubProblem: Bool, sameAnswer: Bool, reward: Double,
        note: String
    ) {
        self.step = step
        self.teacherStep = teacherStep
        self.sameMetaReasoning = sameMetaReasoning
        self.sameSubProblem = sameSubProblem
        self.sameAnswer = sameAnswer
        self.reward = reward
        self.note = note
    }
}

/// A score with its explanation, or the reason why there is none.
public struct Reward: Sendable, Codable, Hashable {
    /// Weighted sum of `terms`.
    public var total: Double
    public var terms: [RewardTerm]
    /// The structure reward step by step; empty when no structure reward was asked for.
    public var steps: [StepExplanation]
    /// Why the structure could not be scored; nil when it was. A failure is never a silent 0.
    public var failure: String?

    public init(total: Double, terms: [RewardTerm], steps: [StepExplanation] = [], failure: String? = nil) {
        self.total = total
        self.terms = terms
        self.steps = steps
        self.failure = failure
    }

    public func value(of name: String) -> Double? {
        terms.first { $0.name == name }?.value
    }
}

public struct ScoredRollout: Sendable, Codable, Hashable {
    public var rollout: Rollout
    public var reward: Reward

    public init(rollout: Rollout, reward: Reward) {
        self.rollout = rollout
        self.reward = reward
    }
}

public struct ScoredGroup: Sendable, Codable, Hashable {
    public var request: RolloutRequest
    public var rollouts: [ScoredRollout]

    public init(request: RolloutRequest, rollouts: [ScoredRollout]) {
        self.request = request
        self.rollouts = rollouts
    }
}
