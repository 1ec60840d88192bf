import Trajectories

/// One row in for `rlkd decompose`: `{"id", "text", "question"?}`.
public struct DecomposeRow: Sendable, Codable, Hashable {
    public var id: RowIdentifier
    public var text: String
    public var question: String?

    public init(id: RowIdentifier, text: String, question: String? = nil) {
        self.id = id
        self.text = text
        self.question = question
    }

    /// Reads a file of JSON Lines. Throws `MalformedInput` that names file, line and field; an empty file is malformed.
    public static func read(from file: String) throws(MalformedInput) -> [DecomposeRow] {
        let rows = try JSONLines.read(DecomposeRow.self, from: file).map(\.row)
        guard !rows.isEmpty else { throw MalformedInput(file: file, problem: "holds no row") }
        return rows
    }

    /// The row's structure, or why there is none. Throws what `decomposer` throws besides `DecompositionFailure`.
    public func decomposed(by decomposer: any Decomposer) async throws -> DecomposedRow {
        do {
            return DecomposedRow(
                id: id, structure: try await decomposer.structure(of: text, question: question), error: nil)
        } catch let failure as DecompositionFailure {
            return DecomposedRow(id: id, structure: nil, error: failure.description)
        }
    }
}

/// One row out of `rlkd decompose`: `{"id", "structure", "error"}`; one of the last two is null.
public struct DecomposedRow: Sendable, Codable, Hashable {
    public var id: RowIdentifier
    public var structure: Structure?
    public var error: String?

    private enum CodingKeys: String, CodingKey {
        case id, structure, error
    }

    public init(id: RowIdentifier, structure: Structure?, error: String?) {
        self.id = id
        self.structure = structure
        self.error = error
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(structure, forKey: .structure)
        try container.encode(error, forKey: .error)
    }
}
