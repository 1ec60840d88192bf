/// Which fields of a row make a problem.
public struct ProblemFields: Sendable, Hashable, Codable {
    public var question: String
    /// Nil when the rows have no reference answer.
    public var answer: String?
    /// A text or a list of texts, each a teacher trace; nil when the rows have none.
    public var trace: String?
    /// Nil to name problems by file and line.
    public var id: String?

    public init(question: String = "question", answer: String? = "answer", trace: String? = nil, id: String? = nil) {
        self.question = question
        self.answer = answer
        self.trace = trace
        self.id = id
    }
}
