import Foundation

/// Which phases are done, and what they scored: where a resumed run goes on.
struct RunState: Sendable, Codable {
    var finished: [RunPhase] = []
    /// By phase, then by test set.
    var results: [String: [String: EvaluationResult]] = [:]
    var reports: [String: PhaseReport] = [:]
    /// Of all sittings.
    var wallSeconds = 0.0

    static func load(_ url: URL) throws -> RunState {
        guard let data = try? Data(contentsOf: url) else { return RunState() }
        do {
            return try JSONDecoder().decode(RunState.self, from: data)
        } catch {
            throw ConfigurationError(source: url.path, key: "", reason: "is not a run's state: \(error)")
        }
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
}
