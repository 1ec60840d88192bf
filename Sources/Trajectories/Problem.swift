/// A question with a reference answer and, for distillation, the teacher's traces.
public struct Problem: Sendable, Codable, Hashable {
    /// Stable, unique name within a data set, for example `gsm8k-train-17`.
    public var id: String
    /// What the student is given, before any chat template.
    public var question: String
    /// The reference answer, as text; nil when only a teacher trace is known.
    public var answer: String?
    public var traces: [TeacherTrace]

    public init(id: String, question: String, answer: String?, traces: [TeacherTrace] = []) {
        self.id = id
        self.question = question
        self.answer = answer
        self.traces = traces
    }

    /// A 64-bit key for counter-based random numbers: FNV-1a over the UTF-8 of `id`, equal on every machine and in every run.
    public var key: UInt64 {
        id.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

/// The teacher's reasoning for a problem.
public struct TeacherTrace: Sendable, Codable, Hashable {
    public var text: String
    /// The decomposition, where the data set carries one; otherwise a decomposer makes it from `text`.
    public var structure: Structure?

    public init(text: String, structure: Structure? = nil) {
        self.text = text
        self.structure = structure
    }
}
