import Files
import Foundation
import Trajectories

/// The finished work of a reinforcement arm that no update has consumed: what a checkpoint holds beside the learner, so that a
/// resumed run samples nothing twice that it has.
///
/// What else was under way at that moment is found in no queue, and is sampled again.
struct PipelineState: Sendable, Codable, Equatable {
    static let currentFormat = 1

    var format = PipelineState.currentFormat
    /// Groups that wait for their update, or for the learner.
    var scored: [ScoredGroup]
    /// Groups that wait for scoring.
    var unscored: [RolloutGroup]

    /// - Parameters:
    ///   - unscored: seen before `scored`: a group that moved on meanwhile is in both, and counts as scored.
    init(scored: [ScoredGroup] = [], unscored: [RolloutGroup] = []) {
        var known: Set<Int> = []
        self.scored = scored.filter { known.insert($0.request.ordinal).inserted }
            .sorted { $0.request.ordinal < $1.request.ordinal }
        self.unscored = unscored.filter { known.insert($0.request.ordinal).inserted }
            .sorted { $0.request.ordinal < $1.request.ordinal }
    }

    var ordinals: Set<Int> { Set(scored.map(\.request.ordinal) + unscored.map(\.request.ordinal)) }

    var groupCount: Int { scored.count + unscored.count }

    var rolloutCount: Int {
        scored.reduce(0) { $0 + $1.rollouts.count } + unscored.reduce(0) { $0 + $1.rollouts.count }
    }

    /// Tokens sampled for it.
    var tokenCount: Int {
        let rollouts = scored.flatMap { $0.rollouts.map(\.rollout) } + unscored.flatMap(\.rollouts)
        return rollouts.reduce(0) { $0 + $1.tokens.count }
    }

    /// Written beside the file first, then in its place.
    func write(to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        try encoder.encode(self).write(inPlaceOf: url)
    }

    /// What the file of a reinforcement phase's checkpoint holds. It is never absent: the rollouts in it would be lost without a
    /// word.
    ///
    /// - Throws: `ConfigurationError` naming the file and the field that cannot be used.
    static func read(_ url: URL) throws -> PipelineState {
        let state = try StateFile.read(PipelineState.self, from: url)
        guard state.format == currentFormat else {
            throw ConfigurationError(
                source: url.path, key: "format", reason: "is \(state.format); this program reads \(currentFormat)")
        }
        return state
    }
}
