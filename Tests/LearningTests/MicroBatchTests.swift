import Foundation
import Models
import Pipelines
import TestSupport
import Testing
import Trajectories

@testable import Learning

@Suite struct MicroBatchTests {
    @Test func everyCompletionTokenOfADemonstrationWeighsTheSame() {
        let demonstrations = [(3, 4), (1, 1), (6, 10), (2, 5)].map { prompt, completion in
            Demonstration(
                prompt: Array(repeating: 1, count: prompt), completion: Array(repeating: 2, count: completion))
        }
        for rows in [1, 7, 16, 1000] {
            let parts = MicroBatch.imitation(demonstrations, rows: rows)
            var targets = 0
            for part in parts {
                guard case .imitation(let weights) = part.objective else {
                    Issue.record("another objective")
                    continue
                }
                #expect(weights.count == part.batch.targets.count)
                #expect(weights.allSatisfy { $0 == 1 / 20 })
                targets += weights.count
            }
            #expect(targets == 20)
            #expect(rows != 1 || parts.count == 4)
            #expect(rows != 1000 || parts.count == 1)
        }
    }

    /// Sixteen sequences of 192 rows make eight jobs of two, not seven and a rest; whatever the lengths, a job is no further from
    /// an even share than a sequence is long.
    @Test func jobsAreEven() {
        func demonstrations(_ lengths: [Int]) -> [Demonstration] {
            lengths.enumerated().map { index, length in
                Demonstration(prompt: [1], completion: Array(repeating: Int32(index), count: length))
            }
        }
        let alike = MicroBatch.imitation(demonstrations(Array(repeating: 192, count: 16)), rows: 384)
        #expect(alike.map(\.batch.rowCount) == Array(repeating: 384, count: 8))

        // A prompt's rows are computed too: the first, almost all prompt, is half of all.
        let prompted = [(290, 11), (60, 41), (20, 31), (80, 71)].map { prompt, completion in
            Demonstration(
                prompt: Array(repeating: 1, count: prompt), completion: Array(repeating: 2, count: completion))
        }
        #expect(MicroBatch.imitation(prompted, rows: 300).map(\.batch.rowCount) == [300, 300])

        var random = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            let lengths = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                Int.random(in: 1...300, using: &random)
            }
            let rows = Int.random(in: 1...600, using: &random)
            let parts = MicroBatch.imitation(demonstrations(lengths), rows: rows)
            let total = lengths.reduce(0, +)
            #expect(parts.count <= MicroBatch.count(rows: total, each: rows))
            let share = total / MicroBatch.count(rows: total, each: rows)
            #expect(parts.map(\.batch.rowCount).reduce(0, +) == total)
            #expect(parts.allSatisfy { $0.batch.rowCount <= share + 1 + (lengths.max() ?? 0) })
            #expect(
                parts.flatMap { $0.batch.targets.map(\.token) }
                    == lengths.enumerated().flatMap { Array(repeating: Int32($0), count: $1) })
        }
    }

    /// What memory is counted by: exact for sequences of one length, never too few for any others.
    @Test func theLargestJobIsKnownBeforehand() {
        let learner = Self.learner()
        #expect(learner.largestMicroBatch(demonstrations: 16, lengths: 192...192) == 384)
        #expect(Self.learner(microBatchRows: 192).largestMicroBatch(demonstrations: 16, lengths: 192...192) == 192)
        #expect(Self.learner(microBatchRows: 192).largestMicroBatch(rollouts: 8, lengths: 192...192) == 384)
        #expect(learner.largestMicroBatch(rollouts: 8, lengths: 128...128) == 1024)
        #expect(learner.largestMicroBatch(rollouts: 8, lengths: 192...192) == 768)
        #expect(learner.largestMicroBatch(rollouts: 0, lengths: 192...192) == 0)
        // The longest of these is alone, and the other two together.
        #expect(largest([380, 285, 285], rows: 384) == 570)
        #expect(MicroBatch.largest(of: 3, lengths: 285...380, rows: 384) >= 570)

        var random = SeededGenerator(seed: 11)
        for _ in 0..<3000 {
            let rows = Int.random(in: 1...400, using: &random)
            let count = Int.random(in: 1...24, using: &random)
            let shortest = Int.random(in: 1...300, using: &random)
            let longest = shortest + Int.random(in: 0...300, using: &random)
            // Some of the two extremes alone, which make the least even parts.
            let lengths = (0..<count).map { _ in
                Bool.random(using: &random)
                    ? Int.random(in: shortest...longest, using: &random)
                    : Bool.random(using: &random) ? shortest : longest
            }
            let found = largest(lengths, rows: rows)
            for least in [shortest, 1] {
                let bound = MicroBatch.largest(of: count, lengths: least...longest, rows: rows)
                #expect(found <= bound, "\(lengths) at \(rows)")
            }
            #expect(
                largest(Array(repeating: longest, count: count), rows: rows)
                    == MicroBatch.largest(of: count, lengths: longest...longest, rows: rows),
                "\(count) of \(longest) at \(rows)")
        }
    }

    /// To the nearest, halves up, and never none.
    @Test(arguments: [
        (0, 32, 1), (1, 32, 1), (47, 32, 1), (48, 32, 2), (79, 32, 2), (80, 32, 3), (81, 32, 3), (7, 5, 1), (8, 5, 2),
        (3, 1, 3),
    ])
    func jobsComeToTheNearestNumber(total: Int, rows: Int, jobs: Int) {
        #expect(MicroBatch.count(rows: total, each: rows) == jobs)
    }

    /// Against all lengths that there can be.
    @Test func theLargestOfFewSmallSequencesIsBounded() {
        for count in 1...4 {
            for longest in 1...5 {
                for shortest in 1...longest {
                    let all = Self.lists(of: count, shortest...longest)
                    for rows in 1...9 {
                        let bound = MicroBatch.largest(of: count, lengths: shortest...longest, rows: rows)
                        let most = all.map { largest($0, rows: rows) }.max() ?? 0
                        #expect(most <= bound, "\(count) of \(shortest) to \(longest) at \(rows)")
                    }
                }
            }
        }
    }

    /// The bound is no larger than it has to be where lengths come together so.
    @Test(arguments: [
        (1, 1...3, 2, 3), (2, 1...2, 1, 2), (3, 1...5, 9, 13), (4, 2...6, 14, 20), (1, 2...4, 11, 4),
        (2, 1...6, 13, 12), (3, 4...5, 11, 15), (4, 2...5, 13, 19),
    ])
    func theBoundIsReached(count: Int, lengths: ClosedRange<Int>, rows: Int, most: Int) {
        #expect(Self.lists(of: count, lengths).map { largest($0, rows: rows) }.max() == most)
        #expect(MicroBatch.largest(of: count, lengths: lengths, rows: rows) == most)
    }

    /// All lists of so many numbers of the range.
    private static func lists(of count: Int, _ range: ClosedRange<Int>) -> [[Int]] {
        (0..<count).reduce([[]]) { lists, _ in lists.flatMap { list in range.map { list + [$0] } } }
    }

    /// Demonstrations by the rows that were asked for, rollouts by twice as many: the last bits of a sum tell its parts.
    @Test func updatesAreSplitByTheRowsOfTheirKind() async throws {
        let executor = ComputeExecutor(threads: 1, pinned: false)
        defer { executor.shutdown() }
        let parameters = try TestModel.parameters()
        let group = try #require(try TestModel.groups(PolicyWeights(parameters)).last)
        let demonstrations = group.rollouts.map {
            Demonstration(prompt: $0.rollout.prompt, completion: $0.rollout.tokens)
        }
        func updated(rows: Int, _ update: (Learner) async throws -> UpdateMetrics) async throws -> [UInt32] {
            let harness = LearnerHarness(
                parameters, microBatchRows: rows, lane: executor.lane(.learner), threads: 1)
            _ = try await update(harness.learner)
            return harness.parameters.bits
        }
        func imitated(rows: Int) async throws -> [UInt32] {
            try await updated(rows: rows) { try await $0.imitate(demonstrations) }
        }
        func learned(rows: Int) async throws -> [UInt32] {
            try await updated(rows: rows) { try await $0.learn(from: [group]) }
        }
        let rows = demonstrations.reduce(0) { $0 + $1.prompt.count + $1.completion.count - 1 }
        let imitatedAtOnce = try await imitated(rows: 4 * rows)
        #expect(try await imitated(rows: rows) == imitatedAtOnce)
        #expect(try await imitated(rows: rows / 2) != imitatedAtOnce)
        let tokens = group.rollouts.reduce(0) { $0 + $1.rollout.tokens.count }
        let learnedAtOnce = try await learned(rows: 4 * tokens)
        #expect(try await learned(rows: tokens / 2) == learnedAtOnce)
        #expect(try await learned(rows: tokens / 4) != learnedAtOnce)
    }

    private static func learner(
        microBatchRows: Int = LearnerConfiguration.usualMicroBatchRows
    ) -> LearnerConfiguration {
        LearnerConfiguration(
            schedule: .init(peak: 1, warmupSteps: 0, totalSteps: 1, shape: .constant), microBatchRows: microBatchRows)
    }

    /// What the memory of passes at once is counted by: never fewer than there are jobs, and exact where all are of one length and
    /// no job has a single one.
    @Test(
        arguments: [1, 8, 40, 383, 500],
        [(1, 384), (2, 384), (6, 50), (8, 384), (17, 8), (17, 384), (64, 1), (64, 384)])
    func theNumberOfJobsIsKnownBeforehand(length: Int, of batch: (count: Int, rows: Int)) {
        let count = batch.count
        let demonstrations = (0..<count).map { _ in
            Demonstration(prompt: [1], completion: Array(repeating: 2, count: length))
        }
        let rows = Self.learner(microBatchRows: batch.rows)
        let jobs = MicroBatch.imitation(demonstrations, rows: rows.microBatchRows).count
        let counted = rows.microBatches(demonstrations: count, rows: count * length)
        #expect(counted <= count)
        #expect(length < rows.microBatchRows / 2 ? jobs == counted : jobs <= counted)

        let group = ScoredGroup(
            request: RolloutRequest(
                ordinal: 0, problem: Problem(id: "0", question: "", answer: nil), visit: 0, maxNewTokens: length),
            rollouts: (0..<count).map { sample in
                let rollout = Rollout(
                    sample: sample, prompt: [1], tokens: Array(repeating: 2, count: length),
                    logProbabilities: Array(repeating: -1, count: length),
                    versions: Array(repeating: PolicyVersion(0), count: length),
                    isSampled: Array(repeating: true, count: length), finishReason: .length, text: "")
                return ScoredRollout(rollout: rollout, reward: Reward(total: 0, terms: []))
            })
        let ofGroups = MicroBatch.policy([group, group], loss: GroupRelativeLoss(), rows: rows.rolloutRows).count
        let countedOfGroups = rows.microBatches(groups: 2, rollouts: count, rows: count * length)
        #expect(countedOfGroups <= 2 * count)
        #expect(length < rows.rolloutRows / 2 ? ofGroups == countedOfGroups : ofGroups <= countedOfGroups)
    }

    /// Rows of the largest job of demonstrations of so many rows each.
    private func largest(_ lengths: [Int], rows: Int) -> Int {
        let demonstrations = lengths.map { Demonstration(prompt: [1], completion: Array(repeating: 2, count: $0)) }
        return MicroBatch.imitation(demonstrations, rows: rows).map(\.batch.rowCount).max() ?? 0
    }

    @Test func rolloutsKeepTheirAdvantageHoweverTheyAreSplit() throws {
        let groups = try TestModel.groups(PolicyWeights(try TestModel.parameters()))
        let loss = GroupRelativeLoss()
        let expected = groups.flatMap { group in
            zip(group.rollouts, loss.advantages(rewards: group.rollouts.map(\.reward.total))).map {
                ($0.rollout.logProbabilities, $1)
            }
        }
        for rows in [1, 20, 40, 10_000] {
            let parts = MicroBatch.policy(groups, loss: loss, rows: rows)
            let terms = parts.flatMap { part in
                if case .policy(let rollouts) = part.objective { rollouts } else { [RolloutTerms]() }
            }
            #expect(terms.count == expected.count)
            #expect(zip(terms, expected).allSatisfy { $0.behaviour == $1.0 && $0.advantage == $1.1 })
            #expect(terms.allSatisfy { $0.weight == 1 / 20 })
            for part in parts {
                guard case .policy(let rollouts) = part.objective else { continue }
                #expect(part.batch.targets.count == rollouts.reduce(0) { $0 + $1.behaviour.count })
            }
        }
    }

    /// The gradient that a job leaves is the slope of the loss that it returns: masks, clip, reference, temperature and all.
    @Test func theGradientOfAJobIsTheSlopeOfItsLoss() throws {
        let parameters = try TestModel.parameters()
        var groups = try TestModel.groups(PolicyWeights(try TestModel.parameters(seed: 9)), count: 1, size: 4)
        for index in groups[0].rollouts.indices {
            for token in groups[0].rollouts[index].rollout.tokens.indices where (token + index) % 3 == 0 {
                groups[0].rollouts[index].rollout.isSampled[token] = false
            }
        }
        let loss = GroupRelativeLoss(clip: 0.5, referenceWeight: 0.1)
        let microBatch = try #require(MicroBatch.policy(groups, loss: loss, rows: 10_000).first)
        let reference = PolicyWeights(try TestModel.parameters(seed: 10))
        let job = GradientJob(
            configuration: parameters.configuration, layout: parameters.layout, gradientCount: parameters.count)
        func run(_ parameters: Parameters) -> Double {
            job.run(
                microBatch, weights: PolicyWeights(parameters), transposed: TransposedWeights(parameters),
                reference: reference, loss: loss, temperature: 0.8
            ).loss
        }
        _ = run(parameters)
        let gradient = (0..<parameters.count).map { Double(job.gradient.pointer[$0]) }
        let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
        func value(step: Double) -> Double {
            let moved = parameters.copy()
            for index in gradient.indices { moved.pointer[index] += Float(step * gradient[index] / norm) }
            return run(moved)
        }
        let step = 3e-4
        let slope = (value(step: step) - value(step: -step)) / (2 * step)
        #expect(abs(slope - norm) < 5e-3 * norm, "\(slope) against \(norm)")
    }
}
