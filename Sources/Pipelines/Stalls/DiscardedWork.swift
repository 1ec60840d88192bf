/// Why work was thrown away.
public enum DiscardCause: Int, Sendable, Codable, CaseIterable {
    /// New weights came while a prompt was being processed, so that it was begun again.
    case swappedWeights
    /// A cancellation or the failure of a stage came before it was done.
    case cutShort
    /// The update that it was for could not be made.
    case failedUpdate

    public var name: String {
        switch self {
        case .swappedWeights: "weights swapped in prefill"
        case .cutShort: "cut short"
        case .failedUpdate: "failed update"
        }
    }
}

/// Work that was done and thrown away, counted.
public struct DiscardedWork: Sendable, Codable, Hashable {
    public var groups: Int
    /// Completions, whole or begun.
    public var rollouts: Int
    /// Prompt tokens processed and completion tokens sampled.
    public var tokens: Int
    /// Core time that went into it, as far as that is known.
    public var coreSeconds: Double

    public init(groups: Int = 0, rollouts: Int = 0, tokens: Int = 0, coreSeconds: Double = 0) {
        self.groups = groups
        self.rollouts = rollouts
        self.tokens = tokens
        self.coreSeconds = coreSeconds
    }

    public var isEmpty: Bool { self == DiscardedWork() }

    public static func + (left: DiscardedWork, right: DiscardedWork) -> DiscardedWork {
        DiscardedWork(
            groups: left.groups + right.groups, rollouts: left.rollouts + right.rollouts,
            tokens: left.tokens + right.tokens, coreSeconds: left.coreSeconds + right.coreSeconds)
    }

    public static func - (left: DiscardedWork, right: DiscardedWork) -> DiscardedWork {
        DiscardedWork(
            groups: left.groups - right.groups, rollouts: left.rollouts - right.rollouts,
            tokens: left.tokens - right.tokens, coreSeconds: left.coreSeconds - right.coreSeconds)
    }
}
