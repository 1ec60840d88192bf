import Foundation
import Trajectories

/// Holds the groups of a pipeline's state against the run that is to consume them, so that a damaged file is refused and the
/// bound on staleness holds after resuming as before.
struct PipelineStateCheck {
    let file: URL
    /// The version that the run goes on from.
    let version: PolicyVersion
    let groupsPerBatch: Int
    let groupSize: Int
    let maxStaleness: Int
    let steps: Int
    let vocabularySize: Int
    let maxPositions: Int
    /// What the run would ask for at an ordinal.
    let request: (_ ordinal: Int) -> RolloutRequest

    /// - Throws: `ConfigurationError` naming the file and the first field that cannot be.
    func check(_ state: PipelineState) throws {
        var known: Set<Int> = []
        for (index, group) in state.scored.enumerated() {
            let key = "scored.\(index)"
            try check(group.request, key, &known)
            try check(group.rollouts.map(\.rollout), of: group.request, key, suffix: ".rollout")
            for (number, scored) in group.rollouts.enumerated() {
                try check(scored.reward, "\(key).rollouts.\(number).reward")
            }
        }
        for (index, group) in state.unscored.enumerated() {
            let key = "unscored.\(index)"
            try check(group.request, key, &known)
            try check(group.rollouts, of: group.request, key, suffix: "")
        }
    }

    /// A total always is the weighted sum of its terms, and updates take it as a 32-bit float.
    private func check(_ reward: Reward, _ key: String) throws {
        for (index, term) in reward.terms.enumerated() {
            for (name, number) in [("value", term.value), ("weight", term.weight)] {
                try require(
                    Float(number).isFinite, "\(key).terms.\(index).\(name)",
                    "is \(number): it must be a number that 32-bit floats hold")
            }
        }
        try require(
            Float(reward.total).isFinite, "\(key).total",
            "is \(reward.total): it must be a number that 32-bit floats hold")
        let products = reward.terms.map { $0.weight * $0.value }
        let sum = products.reduce(0, +)
        try require(
            abs(reward.total - sum) <= 1e-9 * products.reduce(0) { $0 + abs($1) }, "\(key).total",
            "is \(reward.total): its terms' weighted sum is \(sum)")
    }

    private func check(_ request: RolloutRequest, _ key: String, _ known: inout Set<Int>) throws {
        let ordinal = request.ordinal
        // The source admits a group when its update is at most `maxStaleness` versions ahead.
        let end = min(steps, version.rawValue + maxStaleness + 1)
        let admitted = version.rawValue * groupsPerBatch..<max(version.rawValue, end) * groupsPerBatch
        try require(
            admitted.contains(ordinal), "\(key).request.ordinal",
            "is \(ordinal); what can wait at version \(version.rawValue) is \(admitted.lowerBound) to "
                + "\(admitted.upperBound - 1)")
        try require(known.insert(ordinal).inserted, "\(key).request.ordinal", "is \(ordinal), as of another group")
        try require(
            request == self.request(ordinal), "\(key).request", "is not what this run asks for at ordinal \(ordinal)")
    }

    private func check(_ rollouts: [Rollout], of request: RolloutRequest, _ key: String, suffix: String) throws {
        try require(
            rollouts.map(\.sample) == Array(0..<groupSize), "\(key).rollouts",
            "is not the \(groupSize) samples of a group, in order")
        for (index, rollout) in rollouts.enumerated() {
            let key = "\(key).rollouts.\(index)\(suffix)"
            let count = rollout.tokens.count
            try require(
                (1...request.maxNewTokens).contains(count), "\(key).tokens",
                "has \(count) tokens; a completion has 1 to \(request.maxNewTokens)")
            try require(
                !rollout.prompt.isEmpty && rollout.prompt == rollouts[0].prompt
                    && rollout.prompt.count + count <= maxPositions, "\(key).prompt", "is not the group's prompt")
            for (name, tokens) in [("prompt", rollout.prompt), ("tokens", rollout.tokens)] {
                try require(
                    tokens.allSatisfy { $0 >= 0 && Int($0) < vocabularySize }, "\(key).\(name)",
                    "holds a token that is not in the vocabulary of \(vocabularySize)")
            }
            try require(
                rollout.logProbabilities.count == count && rollout.logProbabilities.allSatisfy { $0 <= 0 },
                "\(key).logProbabilities", "is not one number of at most 0 for each of the \(count) tokens")
            try require(
                rollout.isSampled.count == count, "\(key).isSampled", "is not one value for each of the \(count) tokens"
            )
            let oldest = request.ordinal / groupsPerBatch - maxStaleness
            try require(
                rollout.versions.count == count
                    && rollout.versions.allSatisfy { (oldest...version.rawValue).contains($0.rawValue) },
                "\(key).versions",
                "is not one version for each of the \(count) tokens, from \(oldest) to \(version.rawValue): the bound on "
                    + "staleness would not hold")
        }
    }

    private func require(_ holds: Bool, _ key: String, _ reason: String) throws {
        guard holds else { throw ConfigurationError(source: file.path, key: key, reason: reason) }
    }
}
