import StructureRewards
import Trajectories

/// Scores rows for `rlkd score`: the structure reward alone, with its explanation.
struct RowScorer: Sendable {
    var studentDecomposer: any Decomposer
    var teacherDecomposer: any Decomposer
    var structureReward: StructureReward

    init(
        studentDecomposer: any Decomposer = RulesDecomposer(),
        teacherDecomposer: any Decomposer = DecompositionCache(RulesDecomposer()),
        structureReward: StructureReward = StructureReward(judge: MemoizedJudge(LexicalJudge()))
    ) {
        self.studentDecomposer = studentDecomposer
        self.teacherDecomposer = teacherDecomposer
        self.structureReward = structureReward
    }

    /// The row's score. A path that cannot be decomposed fills `error`; throws `CancellationError` and what decomposers and
    /// judge throw besides.
    func score(_ row: ScoreRow) async throws -> ScoredRow {
        var scored = ScoredRow(id: row.id, reward: nil, correct: row.correct, model: row.model)
        do {
            let teacher = try await decompose(row.teacher, with: teacherDecomposer, row, ScoringFailure.teacher)
            let student = try await decompose(row.student, with: studentDecomposer, row, ScoringFailure.student)
            scored.teacherSteps = teacher.metaReasonings.count
            scored.studentSteps = student.metaReasonings.count
            if let score = try await structureReward.score(student: student, teachers: [teacher]) {
                scored.reward = score.value
                scored.steps = score.steps
            }
        } catch let failure as ScoringFailure {
            scored.error = failure.description
            if structureReward.compatibility == .reference { scored.reward = 0 }
        }
        return scored
    }

    private func decompose(
        _ path: ScorePath, with decomposer: any Decomposer, _ row: ScoreRow,
        _ failure: (DecompositionFailure) -> ScoringFailure
    ) async throws -> LooseStructure {
        switch path {
        case .structure(let structure):
            guard !structure.steps.isEmpty else {
                throw failure(DecompositionFailure(reason: "the structure has no steps", offset: 0, line: 1))
            }
            return LooseStructure(structure)
        case .text(let text):
            do {
                switch structureReward.compatibility {
                case .none: return LooseStructure(try await decomposer.structure(of: text, question: row.question))
                case .reference: return try await decomposer.looseStructure(of: text, question: row.question)
                }
            } catch let error as DecompositionFailure {
                throw failure(error)
            }
        }
    }
}
