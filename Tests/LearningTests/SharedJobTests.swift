import Memory
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
                threads: threads)
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

    /// A learner whose threads are more than its micro-batches has them share the passes, each with workspaces of its own.
    @Test func threadsWithoutAMicroBatchHaveWorkspaces() throws {
        let parameters = try TestModel.parameters()
        func bytes(threads: Int) throws -> Int {
            // Everything on this thread, so that its counter counts everything.
            let executor = EmbeddedExecutor(seed: nil)
            let harness = LearnerHarness(parameters, microBatchRows: 1000, lane: executor, threads: threads)
            let before = Allocator.threadAllocatedBytes()
            _ = try executor.run { try await harness.learner.imitate(Self.demonstrations) }
            return Int(Allocator.threadAllocatedBytes() - before)
        }
        _ = try bytes(threads: 1)
        let sizes = PassSizes(
            parameters.configuration, storage: .kept, rows: 51, targets: 48, positions: 25)
        #expect(try bytes(threads: 4) > bytes(threads: 1) + 3 * 4 * sizes.attentionWorkspace)
    }
}
