import Trajectories

/// The choices of `rlkd score` and `rlkd decompose`, named as on the command line.
public struct ScoreOptions: Sendable, Hashable {
    public enum DecomposerName: String, Sendable, Hashable, CaseIterable {
        /// `tagged` for text that holds a tag, `rules` for any other.
        case automatic
        case tagged
        case rules
    }

    public enum JudgeName: String, Sendable, Hashable, CaseIterable {
        case exact
        case lexical
    }

    public var decomposer: DecomposerName
    public var judge: JudgeName
    public var alignment: AlignmentMethod
    public var compatibility: Compatibility

    public init(
        decomposer: DecomposerName = .automatic, judge: JudgeName = .lexical, alignment: AlignmentMethod = .prefix,
        compatibility: Compatibility = .none
    ) {
        self.decomposer = decomposer
        self.judge = judge
        self.alignment = alignment
        self.compatibility = compatibility
    }

    public func makeDecomposer() -> any Decomposer {
        switch decomposer {
        case .automatic: AutomaticDecomposer()
        case .tagged: TaggedDecomposer()
        case .rules: RulesDecomposer()
        }
    }

    public func makeJudge() -> any Judge {
        switch judge {
        case .exact: MemoizedJudge(ExactJudge())
        case .lexical: MemoizedJudge(LexicalJudge())
        }
    }

    public func makeRowScorer() -> RowScorer {
        RowScorer(
            studentDecomposer: makeDecomposer(), teacherDecomposer: DecompositionCache(makeDecomposer()),
            structureReward: StructureReward(judge: makeJudge(), method: alignment, compatibility: compatibility))
    }
}
