import Pipelines
import Testing

@testable import Learning
@testable import Models

/// Micro-batches that several threads share.
@Suite(.timeLimit(.minutes(1))) struct SharedJobTests {
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
                configuration: parameters.configuration, layout: parameters.layout, gradientCount: parameters.count,
                workspaces: PassWorkspaces(threads: threads))
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

    /// A learner whose threads are more than its micro-batches lets them share: sooner or later another than the job's own comes, and
    /// takes its workspace.
    @Test func threadsWithoutAMicroBatchHelp() async throws {
        let executor = ComputeExecutor(threads: 3, pinned: false)
        defer { executor.shutdown() }
        let harness = LearnerHarness(
            try TestModel.parameters(), microBatchRows: 1000, lane: executor.lane(.learner), threads: 3)
        let workspaces = harness.learner.workspaces
        func members() -> Int { (0..<3).count { workspaces[$0].count > 0 } }
        #expect(members() == 0)
        var updates = 0
        while members() < 2 && updates < 3000 {
            _ = try await harness.learner.imitate(Self.demonstrations)
            updates += 1
        }
        #expect(members() >= 2)
    }
}
