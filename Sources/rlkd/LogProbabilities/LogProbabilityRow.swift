import Tasks
import Training

/// One row in for `rlkd logprobs`: `{"id", "tokens"}`.
struct TokenRow: Sendable {
    var id: RowIdentifier
    var tokens: [Int32]
    /// Where it stands in its file.
    var line: Int

    /// In memory, about.
    var byteCount: Double {
        Double(MemoryLayout<Self>.stride + MemoryLayout<Int32>.stride * tokens.count) + MemoryNeed.arrayBytes
    }

    /// While it is read, beside its tokens.
    static let readingBytes = Double(MemoryLayout<Self>.stride) + MemoryNeed.arrayBytes

    /// - Throws: `MalformedInput` also where the model has no such tokens, or not so many positions.
    init(_ fields: JSONRow, vocabularySize: Int, maxPositions: Int) throws(MalformedInput) {
        id = try fields.identifier()
        guard let tokens = try fields.tokens("tokens") else { throw fields.failure("tokens", "is missing") }
        guard !tokens.isEmpty else { throw fields.failure("tokens", "is empty") }
        guard tokens.count <= maxPositions else {
            throw fields.failure(
                "tokens", "is too long: \(tokens.count) tokens exceed the model's context of \(maxPositions)")
        }
        try fields.check(tokens, vocabularySize: vocabularySize, field: "tokens")
        self.tokens = tokens
        line = fields.line
    }
}

/// One row out of `rlkd logprobs`.
struct LogProbabilityRow: Encodable, Sendable {
    var id: RowIdentifier
    /// One a token after the first.
    var logprobs: [Float]
}
