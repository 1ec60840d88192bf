/// What `rlkd score` does between reading its flags and writing its rows.
public struct ScoreCommandLogic: Sendable {
    public enum Input: Sendable, Hashable {
        /// `--input FILE.jsonl`: rows of teacher and student.
        case rows(file: String)
        /// `--teacher test_socratic.jsonl --students example_model_solutions.jsonl`: joined by question.
        case modelSolutions(teacher: String, students: String)
    }

    public var input: Input
    public var options: ScoreOptions

    public init(input: Input, options: ScoreOptions = ScoreOptions()) {
        self.input = input
        self.options = options
    }

    /// All rows, checked before any is scored. Throws `MalformedInput` that names file, line and field.
    public func rows() throws(MalformedInput) -> [ScoreRow] {
        switch input {
        case .rows(let file):
            try ScoreRow.read(from: file)
        case .modelSolutions(let teacher, let students):
            try ModelSolutionsFile(path: students).scoreRows(teacher: SocraticFile(path: teacher))
        }
    }

    /// Scores `rows` in order, handing each on as it is done, and reports the separation for each model where rows say which
    /// solutions are correct.
    public func score(
        _ rows: [ScoreRow], each: (ScoredRow) async throws -> Void
    ) async throws -> [(model: String?, report: SeparationReport)] {
        let scorer = options.makeRowScorer()
        var scored: [ScoredRow] = []
        scored.reserveCapacity(rows.count)
        for row in rows {
            try Task.checkCancellation()
            let result = try await scorer.score(row)
            try await each(result)
            scored.append(result)
        }
        return SeparationReport.byModel(scored)
    }
}
