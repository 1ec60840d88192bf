import Models
import Trajectories

/// The rows of one learner job and what its targets cost.
struct MicroBatch: Sendable {
    var batch: TrainingBatch
    var objective: Objective

    enum Objective: Sendable {
        /// Cross-entropy; one weight a target.
        case imitation(weights: [Float])
        /// Rollouts in the order of the targets.
        case policy([RolloutTerms])
    }
}

/// A rollout's part of a micro-batch, but for what the forward pass finds.
struct RolloutTerms: Sendable {
    var behaviour: [Float]
    var isSampled: [Bool]
    var advantage: Float
    /// Its share of the batch.
    var weight: Float
}

/// A text to imitate: the completion's tokens carry the loss, the prompt's do not.
public struct Demonstration: Sendable, Codable, Equatable {
    public var prompt: [Int32]
    public var completion: [Int32]

    public init(prompt: [Int32], completion: [Int32]) {
        self.prompt = prompt
        self.completion = completion
    }
}

extension MicroBatch {
    /// Splits demonstrations, in order, into jobs of about `rowLimit` rows; every completion token weighs the same.
    static func imitation(_ demonstrations: [Demonstration], rowLimit: Int) -> [MicroBatch] {
        let tokens = demonstrations.reduce(0) { $0 + $1.completion.count }
        let weight = 1 / Float(max(1, tokens))
        return split(demonstrations, rowLimit: rowLimit) { $0.prompt.count + $0.completion.count - 1 }.map { part in
            var batch = TrainingBatch()
            for demonstration in part {
                batch.append(prompt: demonstration.prompt, completions: [demonstration.completion])
            }
            return MicroBatch(
                batch: batch, objective: .imitation(weights: Array(repeating: weight, count: batch.targets.count)))
        }
    }

    /// One job a group, or more where its rollouts exceed `rowLimit` rows; a group's prompt is computed once a job.
    static func policy(_ groups: [ScoredGroup], loss: some PolicyLoss, rowLimit: Int) -> [MicroBatch] {
        let rollouts = groups.reduce(0) { $0 + $1.rollouts.count }
        let weight = 1 / Float(max(1, rollouts))
        return groups.flatMap { group -> [MicroBatch] in
            let advantages = loss.advantages(rewards: group.rollouts.map(\.reward.total))
            let members = Array(zip(group.rollouts.map(\.rollout), advantages))
            return split(members, rowLimit: rowLimit) { $0.0.tokens.count }.compactMap { part in
                guard let prompt = part.first?.0.prompt else { return nil }
                var batch = TrainingBatch()
                batch.append(prompt: prompt, completions: part.map(\.0.tokens))
                let terms = part.map { rollout, advantage in
                    RolloutTerms(
                        behaviour: rollout.logProbabilities, isSampled: rollout.isSampled, advantage: advantage,
                        weight: weight)
                }
                return MicroBatch(batch: batch, objective: .policy(terms))
            }
        }
    }

    private static func split<Element>(
        _ elements: [Element], rowLimit: Int, rows: (Element) -> Int
    ) -> [[Element]] {
        var parts: [[Element]] = []
        var filled = 0
        for element in elements {
            let count = rows(element)
            if parts.isEmpty || filled + count > rowLimit {
                parts.append([])
                filled = 0
            }
            parts[parts.count - 1].append(element)
            filled += count
        }
        return parts
    }
}
