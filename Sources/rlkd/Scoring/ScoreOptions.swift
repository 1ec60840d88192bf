import StructureRewards
import Trajectories

/// The choices of `rlkd score` and `rlkd decompose`, named as on the command line.
struct ScoreOptions: Sendable, Hashable {
    enum DecomposerName: String, Sendable, Hashable, CaseIterable {
        /// `tagged` for text that holds a tag, `rules` for any other.
        case automatic
        case tagged
        case rules
    }

    enum JudgeName: String, Sendable, Hashable, CaseIterable {
        case exact
        case lexical
    }

    var decomposer: DecomposerName
    var judge: JudgeName
    var alignment: AlignmentMethod
    var compatibility: Compatibility

    init(
        decomposer: DecomposerName = .automatic, judge: JudgeName = .lexical, alignment: AlignmentMethod = .prefix,
        compatibility: Compatibility = .none
    ) {
        self.decomposer = decomposer
        self.judge = judge
        self.alignment = alignment
        self.compatibility = compatibility
    }

    func makeDecomposer() -> any Decomposer {
        switch decomposer {
        case .automatic: AutomaticDecomposer()
        case .tagged: TaggedDecomposer()
        case .rules: RulesDecomposer()
        }
    }

    func makeJudge() -> any Judge {
        switch judge {
        case .exact: MemoizedJudge(ExactJudge())
        case .lexical: MemoizedJudge(LexicalJudge())
        }
    }

    func makeRowScorer() -> RowScorer {
        RowScorer(
            studentDecomposer: makeDecomposer(), teacherDecomposer: DecompositionCache(makeDecomposer()),
            structureReward: StructureReward(judge: makeJudge(), method: alignment, compatibility: compatibility))
    }
}
