import StructureRewards
import Tasks
import Trajectories

/// One row in for `rlkd decompose`: `{"id", "text", "question"?}`.
struct DecomposeRow: Sendable {
    var id: RowIdentifier
    var text: String
    var question: String?

    /// - Throws: `MalformedInput`.
    init(_ row: JSONRow) throws(MalformedInput) {
        id = try row.identifier()
        text = try row.requiredString("text")
        question = try row.string("question")
    }

    /// The row's structure, or why there is none. Throws what `decomposer` throws besides `DecompositionFailure`.
    func decomposed(by decomposer: any Decomposer) async throws -> DecomposedRow {
        do {
            return DecomposedRow(
                id: id, structure: try await decomposer.structure(of: text, question: question), error: nil)
        } catch let failure as DecompositionFailure {
            return DecomposedRow(id: id, structure: nil, error: failure.description)
        }
    }
}

/// One row out of `rlkd decompose`: `{"id", "structure", "error"}`; one of the last two is null.
struct DecomposedRow: Sendable, Encodable {
    var id: RowIdentifier
    var structure: Structure?
    var error: String?

    private enum CodingKeys: String, CodingKey {
        case id, structure, error
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(structure, forKey: .structure)
        try container.encode(error, forKey: .error)
    }
}
