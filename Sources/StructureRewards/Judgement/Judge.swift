/// Which part of two steps is compared.
public enum StepAspect: String, Sendable, Codable, Hashable, CaseIterable {
    case metaReasoning
    case subProblem
    case answer
}

/// Do the teacher's and the student's texts say the same, in this aspect?
public struct JudgementRequest: Sendable, Codable, Hashable {
    public var aspect: StepAspect
    public var teacher: String
    public var student: String

    public init(aspect: StepAspect, teacher: String, student: String) {
        self.aspect = aspect
        self.teacher = teacher
        self.student = student
    }
}

/// A judge's decision.
public struct Judgement: Sendable, Codable, Hashable {
    public var isSame: Bool
    /// What the decision rests on, 0 to 1: a similarity, or a model's probability of yes.
    public var confidence: Double

    public init(isSame: Bool, confidence: Double) {
        self.isSame = isSame
        self.confidence = confidence
    }
}

/// Decides whether two meta-reasonings address the same problem, two sub-problems are the same, two answers are equal: the
/// second half of the Generative Structure Reward Model (arXiv 2505.16142, section 3).
///
/// Throws what keeps it from deciding: `CancellationError`, or the error of a model or server behind it.
public protocol Judge: Sendable {
    func judge(_ request: JudgementRequest) async throws -> Judgement
}
