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

    /// The most rows that a part of so many elements can have.
    ///
    /// The middles of a part's elements lie within an even share of the rows, of which only the first and the last stick out, each
    /// by half its rows: so a part of several elements has fewer rows than the share and the longest, and than two shares.
    /// The share is largest in the fewest parts that there can be, but for a single one, which nothing sticks out of.
    static func largest(of elements: Int, lengths: ClosedRange<Int>, rows: Int) -> Int {
        let (shortest, longest) = (max(1, lengths.lowerBound), max(1, lengths.upperBound))
        let fewest = count(rows: elements * shortest, each: rows)
        let most = count(rows: elements * longest, each: rows)
        let candidates = (fewest...min(most, fewest + 1)).map { parts in
            // The most that so few parts are made of.
            let total = min(elements * longest, parts * rows + (rows + 1) / 2 - 1)
            guard parts > 1 else { return total }
            let share = (total + parts - 1) / parts
            let sequences = (share + shortest - 1) / shortest
            return min(sequences * longest, max(longest, share + min(share, longest) - 1))
        }
        return candidates.max() ?? 0
    }

    /// Parts as even as whole elements allow, since the last to end is waited for. They go by the rows alone, not by the threads
    /// that there are, so that gradients are the same on any number of them.
    fileprivate static func split<Element>(
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
    package var rolloutRows: Int { 2 * microBatchRows }

    /// Rows of each job of an update that imitates demonstrations of so many rows each, in this order.
    package func microBatches(demonstrations rows: [Int]) -> [Int] {
        MicroBatch.split(rows, rows: microBatchRows) { $0 }.map { $0.reduce(0, +) }
    }

    /// Jobs of an update that imitates so many demonstrations of so many rows together, at most.
    package func microBatches(demonstrations: Int, rows: Int) -> Int {
        min(demonstrations, MicroBatch.count(rows: rows, each: microBatchRows))
    }

    /// Jobs of an update from so many groups of so many rollouts, with so many rows a group, at most.
    package func microBatches(groups: Int, rollouts: Int, rows: Int) -> Int {
        groups * min(rollouts, MicroBatch.count(rows: rows, each: rolloutRows))
    }

    /// The most rows that a micro-batch of so many demonstrations can have: exact where all are of one length.
    ///
    /// - Parameter lengths: rows of the shortest and of the longest.
    package func largestMicroBatch(demonstrations: Int, lengths: ClosedRange<Int>) -> Int {
        MicroBatch.largest(of: demonstrations, lengths: lengths, rows: microBatchRows)
    }

    /// The same of one group's rollouts, without their prompt.
    package func largestMicroBatch(rollouts: Int, lengths: ClosedRange<Int>) -> Int {
        MicroBatch.largest(of: rollouts, lengths: lengths, rows: rolloutRows)
    }
}
