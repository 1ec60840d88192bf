import Tasks

/// GSM8K's `example_model_solutions`: rows with a question and, under the name of each model, `{"solution", "is_correct"}`.
enum ModelSolutionsFile {
    /// The names under which GSM8K publishes solutions.
    static let models = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"]

    /// One row for each solution, joined with its teacher by question: `<row>/<model>`, rows counted from 0.
    ///
    /// - Parameter teacher: GSM8K's `test_socratic`, rows `{"question", "answer"}`.
    /// - Throws: `MalformedInput`, also where a question has no teacher.
    static func scoreRows(students: String, teacher: String) throws(MalformedInput) -> [ScoreRow] {
        var teachers: [String: String] = [:]
        for row in try JSONLinesFile(path: teacher).rows {
            let answer = try row.requiredString("answer")
            let question = try row.requiredString("question")
            if teachers[question] == nil { teachers[question] = answer }
        }
        var scoreRows: [ScoreRow] = []
        for (index, row) in try JSONLinesFile(path: students).rows.enumerated() {
            let question = try row.requiredString("question")
            guard let answer = teachers[question] else {
                throw row.failure("question", "the teacher's file has no such question")
            }
            for model in models {
                let (solution, isCorrect) = try row.solution(of: model)
                scoreRows.append(
                    ScoreRow(
                        id: .text("\(index)/\(model)"), teacher: .text(answer), student: .text(solution),
                        question: question, correct: isCorrect, model: model))
            }
        }
        return scoreRows
    }
}

extension JSONRow {
    fileprivate func solution(of model: String) throws(MalformedInput) -> (text: String, isCorrect: Bool) {
        guard case .string(let text) = self[model]["solution"] ?? .null else {
            throw failure("\(model).solution", "is missing or no string")
        }
        guard case .boolean(let isCorrect) = self[model]["is_correct"] ?? .null else {
            throw failure("\(model).is_correct", "is missing, or neither true nor false")
        }
        return (text, isCorrect)
    }
}
