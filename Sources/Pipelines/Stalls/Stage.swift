/// The four stages of a run, in the order of the pipeline.
public enum Stage: Int, Sendable, Codable, CaseIterable, CodingKeyRepresentable {
    case problemSource, rollout, scoring, learning

    public var name: String {
        switch self {
        case .problemSource: "problem source"
        case .rollout: "rollout"
        case .scoring: "scoring"
        case .learning: "learning"
        }
    }
}

/// What a busy core does.
public enum Phase: Int, Sendable, Codable, CaseIterable {
    case prefill, decode, sample, decompose, judge, forward, backward, optimizer, publish
    /// Looking out, without sleeping, for the end of what other threads do of the same work, or for more of it: the core is taken,
    /// and nothing is computed.
    case synchronize
    case other

    public var name: String { "\(self)" }
}

/// Why a stage waits.
public enum WaitCause: Int, Sendable, Codable, CaseIterable {
    /// Its input queue is empty.
    case starved
    /// Its output queue is full.
    case blocked
    /// The weights that it needs are not published yet.
    case awaitingWeights
    /// Going on would break the bound on staleness.
    case staleness
    /// Something outside of the process: a remote judge, a file, a timer.
    case external

    public var name: String {
        switch self {
        case .starved: "starved"
        case .blocked: "blocked"
        case .awaitingWeights: "awaiting weights"
        case .staleness: "staleness"
        case .external: "external"
        }
    }

    /// Whether the wait only passes on another stage's wait through a queue.
    var isPropagated: Bool {
        switch self {
        case .starved, .blocked: true
        case .awaitingWeights, .staleness, .external: false
        }
    }
}
