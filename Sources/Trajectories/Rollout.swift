/// How many optimizer steps a set of weights has seen.
public struct PolicyVersion: Sendable, Codable, Hashable, Comparable, RawRepresentable {
    public var rawValue: Int

    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    public init(_ rawValue: Int) {
        self.rawValue = rawValue
    }

    public static func < (left: PolicyVersion, right: PolicyVersion) -> Bool {
        left.rawValue < right.rawValue
    }

    public var next: PolicyVersion { PolicyVersion(rawValue + 1) }

    public init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(Int.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

public enum FinishReason: String, Sendable, Codable {
    /// The end-of-sequence token was sampled; it is part of the output.
    case stop
    /// The token limit was reached.
    case length
}

/// One sampled completion.
public struct Rollout: Sendable, Codable, Hashable {
    /// Which of its group it is, from 0.
    public var sample: Int
    /// The prompt's token ids.
    public var prompt: [Int32]
    /// The completion's token ids.
    public var tokens: [Int32]
    /// One a completion token: log-softmax(logits / temperature) over the whole vocabulary, before top-k and top-p.
    public var logProbabilities: [Float]
    /// One a completion token: the version of the weights that gave its logits.
    public var versions: [PolicyVersion]
    /// One a completion token: true where the policy sampled it, so that it carries loss.
    public var isSampled: [Bool]
    public var finishReason: FinishReason
    /// The completion as text, without special tokens.
    public var text: String

    public init(
        sample: Int, prompt: [Int32], tokens: [Int32], logProbabilities: [Float], versions: [PolicyVersion],
        isSampled: [Bool], finishReason: FinishReason, text: String
    ) {
        self.sample = sample
        self.prompt = prompt
        self.tokens = tokens
        self.logProbabilities = logProbabilities
        self.versions = versions
        self.isSampled = isSampled
        self.finishReason = finishReason
        self.text = text
    }

    /// The oldest weights that had a part in it; staleness is counted from here.
    public var oldestVersion: PolicyVersion? { versions.min() }
}

/// The rollouts of one visit to a problem: the baseline of GRPO.
public struct RolloutGroup: Sendable, Codable, Hashable {
    public var request: RolloutRequest
    public var rollouts: [Rollout]

    public init(request: RolloutRequest, rollouts: [Rollout]) {
        self.request = request
        self.rollouts = rollouts
    }
}

/// What the problem source asks of the rollout stage.
public struct RolloutRequest: Sendable, Codable, Hashable {
    /// Position in the run's sequence of groups, from 0; it decides which optimizer step consumes the group.
    public var ordinal: Int
    public var problem: Problem
    /// How often the problem was visited before.
    public var visit: Int
    /// Where a completion is cut.
    public var maxNewTokens: Int

    public init(ordinal: Int, problem: Problem, visit: Int, maxNewTokens: Int) {
        self.ordinal = ordinal
        self.problem = problem
        self.visit = visit
        self.maxNewTokens = maxNewTokens
    }
}
