import Trajectories

/// Grade-school mathematics (Cobbe et al., "Training verifiers to solve math word problems", arXiv 2110.14168): rows
/// `{"question", "answer"}`, the answer a solution of one step a line and `#### 72` at the end.
public enum GSM8K {
    /// Whether traces keep `<<48/2=24>>`.
    public enum CalculatorMarks: String, Sendable, Codable, CaseIterable {
        case keep, strip
    }

    /// Which traces carry a structure; the others are left to a decomposer.
    public enum Structures: String, Sendable, Codable, CaseIterable {
        /// Those of rows that label their steps: `sub-question ** solving`.
        case labelled
        /// All of them, read from the calculator marks.
        case all
    }

    /// Reads `train`, `test` or `test_socratic`. A trace is the solution with its last line; labels are no part of its text.
    ///
    /// Throws `ProblemSourceError` that names file, line and field: a file that cannot be read or has no row, a line that is no
    /// JSON object, a field that is missing or empty, an answer without `#### x` at its end or without a step.
    public static func read(
        path: String, calculatorMarks: CalculatorMarks = .strip, structures: Structures = .labelled
    ) throws(ProblemSourceError) -> [Problem] {
        try problems(in: JSONLinesFile(path: path), calculatorMarks: calculatorMarks, structures: structures)
    }

    static func problems(
        in file: JSONLinesFile, calculatorMarks: CalculatorMarks = .strip, structures: Structures = .labelled
    ) throws(ProblemSourceError) -> [Problem] {
        var problems: [Problem] = []
        for row in file.rows {
            let question = try row.requiredText("question")
            let text = try row.requiredText("answer")
            guard let solution = GSM8KSolution(text) else {
                throw row.error("answer", "does not end with a line such as “#### 72” after at least one step")
            }
            let trace = TeacherTrace(
                text: solution.text(calculatorMarks),
                structure: solution.isLabelled || structures == .all ? solution.structure : nil)
            problems.append(
                Problem(
                    id: "gsm8k-\(file.stem)-\(row.line)", question: question, answer: solution.finalAnswer,
                    traces: [trace]))
        }
        return problems
    }
}
