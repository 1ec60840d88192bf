import Learning
import Pipelines
import Trajectories

/// A line of `metrics.jsonl`: one update.
struct StepRecord: Sendable, Codable {
    /// `base`, `sft`, `grpo` or `rlkd`.
    var phase: String
    /// Seconds since the run, or its resumption, began.
    var seconds: Double
    var update: UpdateMetrics
    /// Missing for imitation.
    var rollouts: RolloutRecord?

    enum CodingKeys: String, CodingKey {
        case phase, seconds
    }

    init(phase: RunPhase, seconds: Double, update: UpdateMetrics, rollouts: RolloutRecord? = nil) {
        self.phase = phase.rawValue
        self.seconds = seconds
        self.update = update
        self.rollouts = rollouts
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        phase = try container.decode(String.self, forKey: .phase)
        seconds = try container.decode(Double.self, forKey: .seconds)
        update = try UpdateMetrics(from: decoder)
        rollouts = try? RolloutRecord(from: decoder)
    }

    /// All in one flat object.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(phase, forKey: .phase)
        try container.encode(seconds, forKey: .seconds)
        try update.encode(to: encoder)
        try rollouts?.encode(to: encoder)
    }
}

/// What a batch of scored groups looked like; means over its rollouts.
struct RolloutRecord: Sendable, Codable {
    var reward: Double
    /// Standard deviation within a group, averaged over groups.
    var rewardDeviation: Double
    var accuracy: Double
    var format: Double
    var structure: Double?
    var completionTokens: Double
    /// Share of rollouts cut at their limit.
    var cut: Double
    /// Versions between a rollout's oldest token and the update that consumed it.
    var staleness: Double
    var maxStaleness: Int
    /// Rollouts whose structure could not be scored.
    var structureFailures: Int
    /// Groups whose rewards are all equal: they teach nothing.
    var flatGroups: Int
    /// Work that was thrown away since the update before.
    var discarded: DiscardedWork

    init(_ groups: [ScoredGroup], version: PolicyVersion, discarded: DiscardedWork = DiscardedWork()) {
        self.discarded = discarded
        let rollouts = groups.flatMap(\.rollouts)
        let count = Double(max(1, rollouts.count))
        func mean(_ value: (ScoredRollout) -> Double) -> Double {
            rollouts.reduce(0) { $0 + value($1) } / count
        }
        reward = mean(\.reward.total)
        accuracy = mean { $0.reward.value(of: "accuracy") ?? 0 }
        format = mean { $0.reward.value(of: "format") ?? 0 }
        structure =
            rollouts.contains { $0.reward.value(of: "structure") != nil }
            ? mean { $0.reward.value(of: "structure") ?? 0 } : nil
        completionTokens = mean { Double($0.rollout.tokens.count) }
        cut = mean { $0.rollout.finishReason == .length ? 1 : 0 }
        let ages = rollouts.map { version.rawValue - ($0.rollout.oldestVersion ?? version).rawValue }
        staleness = Double(ages.reduce(0, +)) / count
        maxStaleness = ages.max() ?? 0
        structureFailures = rollouts.count { $0.reward.failure != nil }
        let deviations = groups.map { Self.deviation($0.rollouts.map(\.reward.total)) }
        rewardDeviation = deviations.reduce(0, +) / Double(max(1, deviations.count))
        flatGroups = groups.count { group in
            let totals = group.rollouts.map(\.reward.total)
            return totals.min() == totals.max()
        }
    }

    private static func deviation(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(max(1, values.count))
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(max(1, values.count))).squareRoot()
    }
}
