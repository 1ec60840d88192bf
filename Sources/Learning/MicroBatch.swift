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
    /// Splits demonstrations, in order, into jobs of about `rows` rows; every completion token weighs the same.
    static func imitation(_ demonstrations: [Demonstration], rows: Int) -> [MicroBatch] {
        let tokens = demonstrations.reduce(0) { $0 + $1.completion.count }
        let weight = 1 / Float(max(1, tokens))
        return split(demonstrations, rows: rows) { $0.prompt.count + $0.completion.count - 1 }.map { part in
            var batch = TrainingBatch()
            for demonstration in part {
                batch.append(prompt: demonstration.prompt, completions: [demonstration.completion])
            }
            return MicroBatch(
                batch: batch, objective: .imitation(weights: Array(repeating: weight, count: batch.targets.count)))
        }
    }

    /// Splits each group, in order, into jobs of about `rows` rows of rollouts; its prompt is computed once a job.
    static func policy(_ groups: [ScoredGroup], loss: some PolicyLoss, rows: Int) -> [MicroBatch] {
        let rollouts = groups.reduce(0) { $0 + $1.rollouts.count }
        let weight = 1 / Float(max(1, rollouts))
        return groups.flatMap { group -> [MicroBatch] in
            let advantages = loss.advantages(rewards: group.rollouts.map(\.reward.total))
            let members = Array(zip(group.rollouts.map(\.rollout), advantages))
            return split(members, rows: rows) { $0.0.tokens.count }.compactMap { part in
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

    /// Jobs that so many rows are split into.
    static func count(rows total: Int, each rows: Int) -> Int {
        max(1, (total + rows / 2) / max(1, rows))
    }

    /// Parts as even as whole elements allow, since the last to end is waited for. They go by the rows alone, not by the threads
    /// that there are, so that gradients are the same on any number of them.
    private static func split<Element>(
        _ elements: [Element], rows: Int, of rowCount: (Element) -> Int
    ) -> [[Element]] {
        let total = max(1, elements.reduce(0) { $0 + rowCount($1) })
        let jobs = count(rows: total, each: rows)
        var parts: [[Element]] = []
        var lastPart = -1
        var before = 0
        for element in elements {
            let own = rowCount(element)
            // Where the middle of its rows falls.
            let part = (2 * before + own) * jobs / (2 * total)
            if part != lastPart { parts.append([]) }
            lastPart = part
            parts[parts.count - 1].append(element)
            before += own
        }
        return parts
    }
}

extension LearnerConfiguration {
    /// Rows of a micro-batch of rollouts: more, since each computes its group's prompt anew.
    var rolloutRows: Int { 2 * microBatchRows }

    /// Sequences of the largest micro-batch of so many demonstrations of `length` tokens each, where its rows are not chosen.
    package static func largestMicroBatch(demonstrations: Int, length: Int) -> Int {
        largest(demonstrations, length, rows: usualMicroBatchRows)
    }

    /// The same of one group's rollouts.
    package static func largestMicroBatch(rollouts: Int, length: Int) -> Int {
        largest(rollouts, length, rows: 2 * usualMicroBatchRows)
    }

    private static func largest(_ sequences: Int, _ length: Int, rows: Int) -> Int {
        let parts = min(sequences, MicroBatch.count(rows: sequences * length, each: rows))
        return parts == 0 ? 0 : (sequences + parts - 1) / parts
    }
}
