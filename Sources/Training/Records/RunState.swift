import Foundation
import Pipelines

/// Which phases are done, and what they scored: where a resumed run goes on.
struct RunState: Sendable, Codable {
    var finished: [RunPhase] = []
    /// By phase, then by test set.
    var results: [String: [String: EvaluationResult]] = [:]
    var reports: [String: PhaseReport] = [:]
    /// Of all sittings.
    var wallSeconds = 0.0

    static func load(_ url: URL) throws -> RunState {
        guard FileManager.default.fileExists(atPath: url.path) else { return RunState() }
        return try StateFile.read(RunState.self, from: url)
    }
}

/// How long a phase took, and how fast it went.
struct PhaseReport: Sendable, Codable, Equatable {
    var seconds = 0.0
    var updates = 0
    /// Tokens that carried loss.
    var learnedTokens = 0
    /// Tokens sampled for learning.
    var sampledTokens = 0
    /// Work that was done and thrown away.
    var discarded = DiscardedWork()
}
