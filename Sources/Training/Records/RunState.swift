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
    /// What the run was started with, as YAML; nil in the runs of earlier versions.
    var configuration: String?

    /// The state of the run in a directory; a new one where it was killed before it wrote any.
    ///
    /// - Throws: `ConfigurationError` naming the file and the field at fault, or that the file of a run with checkpoints is gone.
    static func load(_ directory: RunDirectory) throws -> RunState {
        let url = directory.state
        var status = stat()
        guard lstat(url.path, &status) == 0 || errno != ENOENT else {
            guard !directory.hasCheckpoints else {
                throw ConfigurationError(
                    source: url.path, key: "", reason: "is missing, though the run has checkpoints: put it back")
            }
            return RunState()
        }
        return try StateFile.read(RunState.self, from: url)
    }

    /// - Parameters:
    ///   - phases: of the run, in order.
    ///   - tests: names of its test sets.
    /// - Throws: `ConfigurationError` naming the field that no such run writes.
    func check(file: URL, phases: [RunPhase], tests: [String]) throws {
        let require = StateFile.requirement(file)
        try require(
            finished.count <= phases.count && finished == Array(phases.prefix(finished.count)), "finished",
            "is not the first of the run's phases, in order: \(phases.map(\.rawValue).joined(separator: ", "))")
        for phase in finished {
            for test in tests {
                let key = "results.\(phase.rawValue).\(test)"
                guard let result = results[phase.rawValue]?[test] else {
                    try require(false, key, "is missing, though \(phase.rawValue) is finished")
                    continue
                }
                try result.check(key, require)
            }
            let key = "reports.\(phase.rawValue)"
            guard let report = reports[phase.rawValue] else {
                try require(false, key, "is missing, though \(phase.rawValue) is finished")
                continue
            }
            try report.check(key, require)
        }
        try require(wallSeconds.isFinite && wallSeconds >= 0, "wallSeconds", "is not a time of 0 or more")
    }
}

extension EvaluationResult {
    /// - Parameter key: where the result stands in its file.
    fileprivate func check(_ key: String, _ require: StateFile.Requirement) throws {
        for (name, count) in [("problems", problems), ("structureFailures", structureFailures)] {
            try require(StateFile.counts.contains(count), "\(key).\(name)", StateFile.countReason(count))
        }
        for (name, share) in [
            ("accuracy", accuracy), ("passAt1", passAt1), ("passAt8", passAt8), ("wellFormed", wellFormed),
        ] {
            guard let share else { continue }
            try require((0...1).contains(share), "\(key).\(name)", "is \(share); a share is 0 to 1")
        }
        // As the paper's code sums it, it goes up to the steps of a teacher.
        if let structure {
            try require(
                structure.isFinite && structure >= 0, "\(key).structure", "is \(structure), not a score of 0 or more")
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
    /// Work that was done and thrown away.
    var discarded = DiscardedWork()

    /// - Parameter key: where the report stands in its file.
    func check(_ key: String, _ require: StateFile.Requirement) throws {
        for (name, count) in [
            ("updates", updates), ("learnedTokens", learnedTokens), ("sampledTokens", sampledTokens),
            ("discarded.groups", discarded.groups), ("discarded.rollouts", discarded.rollouts),
            ("discarded.tokens", discarded.tokens),
        ] {
            try require(StateFile.counts.contains(count), "\(key).\(name)", StateFile.countReason(count))
        }
        for (name, seconds) in [("seconds", seconds), ("discarded.coreSeconds", discarded.coreSeconds)] {
            try require(seconds.isFinite && seconds >= 0, "\(key).\(name)", "is not a time of 0 or more")
        }
    }
}
