import Pipelines
import Testing

@testable import Learning
@testable import Models

/// Micro-batches that several threads share.
@Suite(.timeLimit(.minutes(30))) struct SharedJobTests {
    private static let demonstrations = (1...3).map { length in
        Demonstration(prompt: [1, 2], completion: (0..<8 * length).map { Int32(5 * $0 + length) % 41 })
    }

    /// Gradients of several slices, each of which begins anew; on threads or on none.
    @Test func aSharedMicroBatchLeavesTheSameGradient() async throws {
        var shape = try TestModel.parameters().configuration
        shape.vocabularySize = 5000
        let parameters = try Parameters.randomized(configuration: shape, seed: 7, deviation: 0.1)
        #expect(parameters.count > 2 * 65_536)
        let weights = PolicyWeights(parameters)
        let transposed = TransposedWeights(parameters)
        let microBatches = MicroBatch.imitation(Self.demonstrations, rows: 10)
        @Sendable func bits(threads: Int) -> [[UInt32]] {
            let job = GradientJob(
                configuration: parameters.configuration, layout: parameters.layout, gradientCount: parameters.count)
            return microBatches.map {
                _ = job.run(
                    $0, weights: weights, transposed: transposed, reference: nil, loss: GroupRelativeLoss(),
                    temperature: 1, sharedBy: threads)
                return job.gradient.span.map(\.bitPattern)
            }
        }
        let alone = bits(threads: 1)
        let executor = ComputeExecutor(threads: 3, pinned: false)
        defer { executor.shutdown() }
        let areEqual = [
            bits(threads: 3) == alone, await executor.lane(.learner).run { bits(threads: 3) } == alone,
        ]
        #expect(microBatches.count > 1)
        #expect(areEqual == [true, true])
    }

    /// A learner's passes have their workspaces together, no more than members are at work at once, and of one micro-batch alone
    /// each thread that can run has a part.
    @Test(arguments: [(threads: 3, cores: Int.max, jobs: 3), (threads: 5, cores: 2, jobs: 2)])
    func threadsWithoutAMicroBatchMayHelp(threads: Int, cores: Int, jobs: Int) async throws {
        let executor = ComputeExecutor(threads: threads, pinned: false)
        defer { executor.shutdown() }
        let harness = LearnerHarness(
            try TestModel.parameters(), microBatchRows: 1000, lane: executor.lane(.learner), threads: threads,
            cores: cores)
        #expect(MicroBatch.imitation(Self.demonstrations, rows: 1000).count == 1)
        _ = try await harness.learner.imitate(Self.demonstrations)
        let passes = await harness.learner.sharing
        #expect(passes.count == jobs)
        let first = try #require(passes.first)
        #expect(passes.allSatisfy { $0.workspaces === first.workspaces })
        #expect(first.threads == jobs)
        #expect((1...jobs).contains(first.workspaces.count))
    }

    /// Of more threads than can run all take part in time, and leave no more workspaces than the passes have members at once.
    @Test func workspacesAreNoMoreThanMembersAtOnce() async throws {
        let parameters = try TestModel.parameters()
        let executor = ComputeExecutor(threads: 8, pinned: false)
        defer { executor.shutdown() }
        let harness = LearnerHarness(
            parameters, microBatchRows: 10, lane: executor.lane(.learner), threads: 8, cores: 2)
        let demonstrations = (0..<9).map { Self.demonstrations[$0 % 3] }
        let microBatches = MicroBatch.imitation(demonstrations, rows: 10).count
        #expect(microBatches > 4)
        for _ in 0..<20 { _ = try await harness.learner.imitate(demonstrations) }
        let passes = Learner.passes(microBatches: microBatches, threads: 8, cores: 2, parameters.configuration)
        #expect(passes.count == 2 && passes.members == 3)
        let workspaces = try #require(await harness.learner.sharing.first).workspaces
        #expect((1...3).contains(workspaces.count))
    }
}
