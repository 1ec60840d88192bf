import StructureRewards
import Trajectories

extension RewardConfiguration {
    /// - Parameter countsStructure: false for the outcome alone, which still shows the structure, at weight 0.
    func makeScorer(
        reader: any StructureReader, verifier: any OutcomeVerifier, countsStructure: Bool = true
    ) -> Scorer {
        let judge: any Judge =
            switch judge {
            case .exact: ExactJudge()
            case .lexical: LexicalJudge()
            }
        let decomposer: any Decomposer =
            switch decomposer {
            case .rules: RulesDecomposer(reader: reader)
            case .tagged: TaggedDecomposer()
            }
        return Scorer(
            studentDecomposer: decomposer, teacherDecomposer: DecompositionCache(decomposer),
            structureReward: StructureReward(
                judge: MemoizedJudge(judge), method: alignment, compatibility: compatibility),
            composition: RewardComposition(
                accuracy: accuracy, format: format, tagCount: tagCount, structure: countsStructure ? structure : 0,
                overlong: overlong.weight == 0 ? nil : overlong.weight,
                overlongPenalty: OverlongPenalty(limit: overlong.limit, cache: overlong.limit - overlong.start),
                alpha: countsStructure ? alpha : nil),
            verifier: verifier)
    }
}
