/// Rows for one pass with gradients: sequences side by side, a group's prompt once for all of its completions.
///
///     var batch = TrainingBatch()
///     let prompt = batch.append(tokens: prompt)
///     batch.append(tokens: completion.dropLast(), after: prompt)
///
/// Targets are the tokens whose log-probabilities are wanted: each names the row whose logits predict it.
public struct TrainingBatch: Sendable {
    /// A run of rows of one sequence; with a `prefix`, its positions continue that span's.
    public struct Span: Sendable {
        public var firstRow: Int
        public var count: Int
        public var firstPosition: Int
        public var prefix: Int?
    }

    public struct Target: Sendable {
        public var row: Int
        public var token: Int32
    }

    public private(set) var tokens: [Int32] = []
    public private(set) var positions: [Int32] = []
    public private(set) var spans: [Span] = []
    public private(set) var targets: [Target] = []

    public init() {}

    public var rowCount: Int { tokens.count }

    /// Adds a run of tokens that starts a sequence, or continues the span `prefix` (itself the start of a sequence).
    ///
    /// - Returns: the span's index.
    @discardableResult
    public mutating func append(tokens newTokens: some Collection<Int32>, after prefix: Int? = nil) -> Int {
        let firstPosition = prefix.map { spans[$0].firstPosition + spans[$0].count } ?? 0
        precondition(prefix.map { spans[$0].prefix == nil } ?? true, "a prefix starts its sequence")
        spans.append(
            Span(firstRow: tokens.count, count: newTokens.count, firstPosition: firstPosition, prefix: prefix))
        positions.append(contentsOf: (0..<newTokens.count).map { Int32(firstPosition + $0) })
        tokens.append(contentsOf: newTokens)
        return spans.count - 1
    }

    /// Asks for the log-probability of `token` after `row`.
    public mutating func addTarget(row: Int, token: Int32) {
        targets.append(Target(row: row, token: token))
    }

    /// Adds a prompt and completions that share it; the targets are the completions' tokens, completion by completion.
    public mutating func append(prompt: [Int32], completions: [[Int32]]) {
        precondition(!prompt.isEmpty, "a completion needs a token before it")
        let promptSpan = append(tokens: prompt)
        let lastPromptRow = spans[promptSpan].firstRow + prompt.count - 1
        for completion in completions {
            guard let first = completion.first else { continue }
            addTarget(row: lastPromptRow, token: first)
            guard completion.count > 1 else { continue }
            let span = append(tokens: completion.dropLast(), after: promptSpan)
            for (index, token) in completion.dropFirst().enumerated() {
                addTarget(row: spans[span].firstRow + index, token: token)
            }
        }
    }

    /// Positions up to the span's end.
    func endPosition(of span: Span) -> Int { span.firstPosition + span.count }

    /// Rows of the longest span.
    var longestSpan: Int { spans.reduce(0) { max($0, $1.count) } }

    /// Positions of the longest sequence.
    var longestSequence: Int { spans.reduce(0) { max($0, endPosition(of: $1)) } }
}
