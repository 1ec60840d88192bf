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
    /// α of the paper: α · structure + (1 − α) · outcome; without it the terms are summed by weight alone.
    public var alpha: Double?
    public var decomposer = DecomposerKind.rules
    public var judge = JudgeKind.exact
    public var alignment = AlignmentMethod.prefix
    /// Whether the paper's released code is followed to the letter.
    public var compatibility = Compatibility.none

    public init() {}
}
