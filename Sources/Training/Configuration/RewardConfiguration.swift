import StructureRewards

/// The reward of the `rlkd` arm; `grpo` has the same without the structure.
public struct RewardConfiguration: Sendable, Codable, Equatable {
    public enum DecomposerKind: String, Sendable, Codable, CaseIterable {
        case rules, tagged
    }

    public enum JudgeKind: String, Sendable, Codable, CaseIterable {
        case exact, lexical
    }

    public var accuracy = 15.0
    public var format = 10.0
    public var tagCount = 0.0
    public var structure = 15.0
    public var overlong = OverlongConfiguration()
    /// α of the paper: α · structure + (1 − α) · outcome; without it the terms are summed by weight alone.
    public var alpha: Double?
    public var decomposer = DecomposerKind.rules
    public var judge = JudgeKind.exact
    public var alignment = AlignmentMethod.prefix
    /// Whether the paper's released code is followed to the letter.
    public var compatibility = Compatibility.none

    public init() {}
}

/// The soft punishment of long completions (DAPO, arXiv 2503.14476, section 3.4): weight × a value that is 0 up to `start`
/// tokens, falls linearly to −1 at `limit`, and stays there.
///
/// DAPO's L_max is `limit`, its L_cache `limit` − `start`. A completion is cut where its task says (`task.maxNewTokens`, or the
/// steps that a quantity graph allows), which these lengths do not change.
public struct OverlongConfiguration: Sendable, Codable, Equatable {
    /// 0 leaves the punishment out.
    public var weight = 0.0
    /// Tokens of the longest completion that is not punished.
    public var start = 192
    /// Tokens from which a completion gets −1.
    public var limit = 256

    public init() {}
}
