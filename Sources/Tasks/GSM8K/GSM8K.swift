import Trajectories

/// Grade-school mathematics (Cobbe et al., "Training verifiers to solve math word problems", arXiv 2110.14168): rows
/// `{"question", "answer"}`, the answer a solution of one step a line and `#### 72` at the end.
public enum GSM8K {
    /// Reads `train`, `test` or `test_socratic`. A trace is the solution with its last line; calculator marks and labels are no
    /// part of its text, but labels make its structure. A trace without labels is left to a decomposer.
    ///
    /// Throws `MalformedInput` that names file, line and field: a file that cannot be read or has no row, a line that is no
    /// JSON object, a field that is missing or empty, an answer without `#### x` at its end or without a step.
    ///
    /// - Parameter reader: reads the steps of a labelled solution; the one that reads the student's paths, so that equal steps
    ///   are equal. One that it cannot read is left to a decomposer too.
    public static func read(path: String, reader: any StructureReader) throws(MalformedInput) -> [Problem] {
        try problems(in: JSONLinesFile(path: path), reader: reader)
    }

    static func problems(
        in file: JSONLinesFile, reader: any StructureReader
    ) throws(MalformedInput) -> [Problem] {
        var problems: [Problem] = []
        for row in file.rows {
            let question = try row.requiredText("question")
            let text = try row.requiredText("answer")
            guard let solution = GSM8KSolution(text) else {
                throw row.failure("answer", "does not end with a line such as “#### 72” after at least one step")
            }
            let structure = solution.labelledText.flatMap { try? reader.structure(of: $0) }
            problems.append(
                Problem(
                    id: "gsm8k-\(file.stem)-\(row.line)", question: question, answer: solution.finalAnswer,
                    traces: [TeacherTrace(text: solution.text, structure: structure)]))
        }
        return problems
    }
}
