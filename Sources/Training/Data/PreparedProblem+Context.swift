extension Sequence where Element == PreparedProblem {
    /// Positions of the longest prompt with its completion.
    ///
    /// - Parameters:
    ///   - newTokens: where a problem's completion is cut.
    ///   - file: names the one that says `context`, and `key` its place there, where a problem does not fit.
    /// - Throws: `ConfigurationError`.
    func longestSequence(
        context: Int, file: String, key: String, newTokens: (PreparedProblem) -> Int
    ) throws(ConfigurationError) -> Int {
        var longest = 1
        for prepared in self {
            let needed = prepared.prompt.count + newTokens(prepared)
            guard needed <= context else {
                throw ConfigurationError(
                    source: file, key: key, reason: "is \(context); problem \(prepared.problem.id) needs \(needed)")
            }
            longest = Swift.max(longest, needed)
        }
        return longest
    }
}
