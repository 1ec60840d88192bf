import Trajectories

/// GSM8K's `test_socratic`: rows `{"question", "answer"}`, the answer's lines `sub-question ** solving`.
public struct SocraticFile: Sendable {
    public struct Row: Sendable, Codable, Hashable {
        public var question: String
        public var answer: String
    }

    public var rows: [Row]

    /// Throws `MalformedInput` that names file, line and field; an empty file is malformed.
    public init(path: String) throws(MalformedInput) {
        rows = try JSONLines.read(Row.self, from: path).map(\.row)
        guard !rows.isEmpty else { throw MalformedInput(file: path, problem: "holds no row") }
    }
}
