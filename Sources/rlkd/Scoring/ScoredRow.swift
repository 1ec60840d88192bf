import StructureRewards
import Trajectories

/// One row out of `rlkd score`.
struct ScoredRow: Sendable, Encodable, Hashable {
    var id: RowIdentifier
    /// Null where the row could not be scored; with `--compat reference` it is then 0.
    var reward: Double?
    var studentSteps: Int?
    var teacherSteps: Int?
    var steps: [StepExplanation] = []
    var correct: Bool?
    var model: String?
    /// Why the row could not be scored; null where it was.
    var error: String?

    private enum CodingKeys: String, CodingKey {
        case id, reward, studentSteps, teacherSteps, steps, correct, model, error
    }

    /// `reward` and `error` are written even where they are null; `correct` and `model` only where the row had them.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(reward, forKey: .reward)
        try container.encode(studentSteps, forKey: .studentSteps)
        try container.encode(teacherSteps, forKey: .teacherSteps)
        try container.encode(steps, forKey: .steps)
        try container.encodeIfPresent(correct, forKey: .correct)
        try container.encodeIfPresent(model, forKey: .model)
        try container.encode(error, forKey: .error)
    }
}
