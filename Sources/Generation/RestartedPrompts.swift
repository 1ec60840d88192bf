/// Prompt tokens that were processed in vain, because new weights came before the whole prompt was.
public struct RestartedPrompts: Sendable, Hashable {
    public var tokens: Int
    /// Seconds of their rows in steps without and with decoding rows.
    public var prefillSeconds: Double
    public var decodeSeconds: Double

    public init(tokens: Int = 0, prefillSeconds: Double = 0, decodeSeconds: Double = 0) {
        self.tokens = tokens
        self.prefillSeconds = prefillSeconds
        self.decodeSeconds = decodeSeconds
    }

    public static func - (left: RestartedPrompts, right: RestartedPrompts) -> RestartedPrompts {
        RestartedPrompts(
            tokens: left.tokens - right.tokens, prefillSeconds: left.prefillSeconds - right.prefillSeconds,
            decodeSeconds: left.decodeSeconds - right.decodeSeconds)
    }
}
