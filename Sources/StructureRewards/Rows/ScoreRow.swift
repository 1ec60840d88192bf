import Trajectories

/// A path in a row: text to be decomposed, or a structure, `{"steps": [{"metaReasoning", "subProblem", "answer"}]}`.
public enum ScorePath: Sendable, Codable, Hashable {
    case text(String)
    case structure(Structure)

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .text(text)
        } else {
            self = .structure(try container.decode(Structure.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .structure(let structure): try container.encode(structure)
        }
    }
}

/// One row in for `rlkd score`: `{"id", "teacher", "student", "question"?, "correct"?, "model"?}`.
public struct ScoreRow: Sendable, Codable, Hashable {
    public var id: RowIdentifier
    public var teacher: ScorePath
    public var student: ScorePath
    /// For decomposers that need it.
    public var question: String?
    /// Whether the student's final answer is right; only the separation report looks at it, never the reward.
    public var correct: Bool?
    /// Which model wrote the student's path; the separation is reported for each.
    public var model: String?

    public init(
        id: RowIdentifier, teacher: ScorePath, student: ScorePath, question: String? = nil, correct: Bool? = nil,
        model: String? = nil
    ) {
        self.id = id
        self.teacher = teacher
        self.student = student
        self.question = question
        self.correct = correct
        self.model = model
    }

    /// Reads a file of JSON Lines. Throws `MalformedInput` that names file, line and field; an empty file is malformed.
    public static func read(from file: String) throws(MalformedInput) -> [ScoreRow] {
        let rows = try JSONLines.read(ScoreRow.self, from: file).map(\.row)
        guard !rows.isEmpty else { throw MalformedInput(file: file, problem: "holds no row") }
        return rows
    }
}

/// One row out of `rlkd score`.
public struct ScoredRow: Sendable, Codable, Hashable {
    public var id: RowIdentifier
    /// Null where the row could not be scored; with `--compat reference` it is then 0.
    public var reward: Double?
    public var studentSteps: Int?
    public var teacherSteps: Int?
    public var steps: [StepExplanation]
    public var correct: Bool?
    public var model: String?
    /// Why the row could not be scored; null where it was.
    public var error: String?

    private enum CodingKeys: String, CodingKey {
        case id, reward, studentSteps, teacherSteps, steps, correct, model, error
    }

    public init(
        id: RowIdentifier, reward: Double?, studentSteps: Int? = nil, teacherSteps: Int? = nil,
        steps: [StepExplanation] = [], correct: Bool? = nil, model: String? = nil, error: String? = nil
    ) {
        self.id = id
        self.reward = reward
        self.studentSteps = studentSteps
        self.teacherSteps = teacherSteps
        self.steps = steps
        self.correct = correct
        self.model = model
        self.error = error
    }

    /// `reward` and `error` are written even where they are null; `correct` and `model` only where the row had them.
    public func encode(to encoder: any Encoder) throws {
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
