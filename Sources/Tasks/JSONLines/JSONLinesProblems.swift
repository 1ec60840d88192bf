import Trajectories

/// Problems from any JSON Lines file, its fields named by the caller.
public enum JSONLinesProblems {
    /// Reads the file. A row needs a question, and an answer or a trace.
    ///
    /// Throws `MalformedInput` that names file, line and field: a file that cannot be read or has no row, a line that is no
    /// JSON object, a field that is missing, empty or of another type, an id that occurs twice.
    public static func read(
        path: String, fields: ProblemFields = ProblemFields()
    ) throws(MalformedInput) -> [Problem] {
        let file = try JSONLinesFile(path: path)
        var problems: [Problem] = []
        var lines: [String: Int] = [:]
        for row in file.rows {
            let question = try row.requiredText(fields.question)
            var answer: String?
            if let field = fields.answer { answer = try row.text(field) }
            var traces: [TeacherTrace] = []
            if let field = fields.trace { traces = try row.texts(field).map { TeacherTrace(text: $0) } }
            guard answer?.contains(where: { !$0.isWhitespace }) ?? false || !traces.isEmpty else {
                throw row.failure(fields.answer ?? fields.trace, "gives neither an answer nor a trace")
            }
            var id = "\(file.stem)-\(row.line)"
            if let field = fields.id { id = try row.requiredText(field) }
            if let earlier = lines.updateValue(row.line, forKey: id) {
                throw row.failure(fields.id, "“\(id)” occurs on line \(earlier) already")
            }
            problems.append(Problem(id: id, question: question, answer: answer, traces: traces))
        }
        return problems
    }
}
