import Tokenizers

extension Sequence where Element == PreparedProblem {
    /// Positions of the longest prompt with its completion.
    ///
    /// - Parameters:
    ///   - newTokens: where a problem's completion is cut.
    ///   - file: names the one that says `context`, and `key` its place there, where a problem does not fit.
    /// - Throws: `ConfigurationError`.
    func longestSequence(
        _ tokenizer: Tokenizer, context: Int, file: String, key: String, newTokens: (PreparedProblem) -> Int
    ) throws -> Int {
        try reduce(1) { longest, prepared in
            let prompt = try tokenizer.encode(prepared.problem.question, addSpecialTokens: true).count
            let needed = prompt + newTokens(prepared)
            guard needed <= context else {
                throw ConfigurationError(
                    source: file, key: key, reason: "is \(context); problem \(prepared.problem.id) needs \(needed)")
            }
            return Swift.max(longest, needed)
        }
    }
}
