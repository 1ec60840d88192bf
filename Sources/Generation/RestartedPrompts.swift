/// Prompt tokens that were processed in vain, because new weights came before the whole prompt was.
public struct RestartedPrompts: Sendable, Hashable {
    public var tokens: Int
    /// Seconds of their rows in steps without and with decoding rows, of the thread that stepped.
    public var prefillSeconds: Double
    public var decodeSeconds: Double
    /// What that thread waited meanwhile for others that shared in the steps.
    public var synchronizeSeconds: Double

    public init(
        tokens: Int = 0, prefillSeconds: Double = 0, decodeSeconds: Double = 0, synchronizeSeconds: Double = 0
    ) {
        self.tokens = tokens
        self.prefillSeconds = prefillSeconds
        self.decodeSeconds = decodeSeconds
        self.synchronizeSeconds = synchronizeSeconds
    }

    public static func - (left: RestartedPrompts, right: RestartedPrompts) -> RestartedPrompts {
        RestartedPrompts(
            tokens: left.tokens - right.tokens, prefillSeconds: left.prefillSeconds - right.prefillSeconds,
            decodeSeconds: left.decodeSeconds - right.decodeSeconds,
            synchronizeSeconds: left.synchronizeSeconds - right.synchronizeSeconds)
    }
}
