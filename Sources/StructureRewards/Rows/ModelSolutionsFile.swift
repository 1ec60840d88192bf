import Trajectories

/// GSM8K's `example_model_solutions`: rows with a question and, under the name of each model, `{"solution", "is_correct"}`.
public struct ModelSolutionsFile: Sendable {
    public struct Solution: Sendable, Codable, Hashable {
        public var isCorrect: Bool
        public var solution: String

        private enum CodingKeys: String, CodingKey {
            case isCorrect = "is_correct"
            case solution
        }
    }

    public struct Row: Sendable, Codable, Hashable {
        public var question: String
        /// In the order of `ModelSolutionsFile.models`.
        public var solutions: [Solution]

        private struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }

            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            question = try container.decode(String.self, forKey: Key(stringValue: "question"))
            solutions = try ModelSolutionsFile.models.map { model in
                try container.decode(Solution.self, forKey: Key(stringValue: model))
            }
        }
    }

    /// The names under which GSM8K publishes solutions.
    public static let models = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"]

    public var rows: [(line: Int, row: Row)]
    public var path: String

    /// Throws `MalformedInput` that names file, line and field; an empty file is malformed.
    public init(path: String) throws(MalformedInput) {
        self.path = path
        rows = try JSONLines.read(Row.self, from: path)
        guard !rows.isEmpty else { throw MalformedInput(file: path, problem: "holds no row") }
    }

    /// One row for each solution, joined with its teacher by question: `<row>/<model>`, rows counted from 0.
    ///
    /// Throws `MalformedInput` where a question has no teacher.
    public func scoreRows(teacher: SocraticFile) throws(MalformedInput) -> [ScoreRow] {
        let teachers = Dictionary(
            teacher.rows.map { ($0.question, $0.answer) }, uniquingKeysWith: { first, _ in first })
        var scoreRows: [ScoreRow] = []
        scoreRows.reserveCapacity(rows.count * Self.models.count)
        for (index, (line, row)) in rows.enumerated() {
            guard let answer = teachers[row.question] else {
                throw MalformedInput(
                    file: path, line: line, field: "question", problem: "the teacher's file has no such question")
            }
            for (model, solution) in zip(Self.models, row.solutions) {
                scoreRows.append(
                    ScoreRow(
                        id: .text("\(index)/\(model)"), teacher: .text(answer), student: .text(solution.solution),
                        question: row.question, correct: solution.isCorrect, model: model))
            }
        }
        return scoreRows
    }
}
