import Trajectories

/// Grade-school mathematics (Cobbe et al., "Training verifiers to solve math word problems", arXiv 2110.14168): rows
/// `{"question", "answer"}`, the answer a solution of one step a line and `#### 72` at the end.
public enum GSM8K {
    /// Whether traces keep `<<48/2=24>>`.
    public enum CalculatorMarks: String, Sendable, Codable, CaseIterable {
        case keep, strip
    }

    /// Reads `train`, `test` or `test_socratic`. A trace is the solution with its last line; labels are no part of its text, but
    /// make its structure. A trace without labels is left to a decomposer.
    ///
    /// Throws `MalformedInput` that names file, line and field: a file that cannot be read or has no row, a line that is no
    /// JSON object, a field that is missing or empty, an answer without `#### x` at its end or without a step.
    public static func read(
        path: String, calculatorMarks: CalculatorMarks = .strip
    ) throws(MalformedInput) -> [Problem] {
        try problems(in: JSONLinesFile(path: path), calculatorMarks: calculatorMarks)
    }

    static func problems(
        in file: JSONLinesFile, calculatorMarks: CalculatorMarks = .strip
    ) throws(MalformedInput) -> [Problem] {
        var problems: [Problem] = []
        for row in file.rows {
            let question = try row.requiredText("question")
            let text = try row.requiredText("answer")
            guard let solution = GSM8KSolution(text) else {
                throw row.failure("answer", "does not end with a line such as “#### 72” after at least one step")
            }
            let trace = TeacherTrace(text: solution.text(calculatorMarks), structure: solution.structure)
            problems.append(
                Problem(
                    id: "gsm8k-\(file.stem)-\(row.line)", question: question, answer: solution.finalAnswer,
                    traces: [trace]))
        }
        return problems
    }
}
