/// The soft penalty for long completions of DAPO (arXiv 2503.14476, equation 13).
///
/// For a completion of L tokens: 0 up to `limit` − `cache`; then it falls linearly, (`limit` − `cache` − L) / `cache`, to −1 at
/// `limit`; −1 beyond.
public struct OverlongPenalty: Sendable, Codable, Hashable {
    /// Tokens.
    public var limit: Int
    /// Tokens over which the penalty grows; 0 makes it a jump behind `limit`.
    public var cache: Int

    public init(limit: Int, cache: Int) {
        self.limit = limit
        self.cache = cache
    }

    /// −1 to 0.
    public func value(tokens: Int) -> Double {
        let free = limit - cache
        if tokens <= free { return 0 }
        if tokens > limit || cache <= 0 { return -1 }
        return Double(free - tokens) / Double(cache)
    }
}
