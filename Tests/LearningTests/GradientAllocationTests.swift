import Memory
import Models
import Testing
import Trajectories

@testable import Learning

@Suite struct GradientAllocationTests {
    /// A job's buffers grow to its largest micro-batch and stay: later ones take a handful of small arrays, as many whatever
    /// their rows and the threads that they are cut for.
    @Test(arguments: Precision.allCases, [(Float(0), 1), (0.1, 1), (0, 3)])
    func laterMicroBatchesTakeNoBuffers(precision: Precision, job: (referenceWeight: Float, threads: Int)) throws {
        let (referenceWeight, threads) = job
        var shape = try TestModel.parameters().configuration
        shape.precision = precision
        let parameters = try Parameters.randomized(configuration: shape, seed: 7, deviation: 0.1)
        let weights = PolicyWeights(parameters)
        let transposed = TransposedWeights(parameters)
        let loss = GroupRelativeLoss(referenceWeight: referenceWeight)
        let microBatches = MicroBatch.policy(try TestModel.groups(weights), loss: loss, rows: 10_000)
            .sorted { $0.batch.rowCount < $1.batch.rowCount }
        let job = GradientJob(
            configuration: shape, layout: parameters.layout, gradientCount: parameters.count)
        func count(_ microBatch: MicroBatch) throws -> AllocationCount {
            try Allocator.count {
                _ = job.run(
                    microBatch, weights: weights, transposed: transposed,
                    reference: referenceWeight == 0 ? nil : weights, loss: loss, temperature: 1, sharedBy: threads)
            }
        }
        let first = try microBatches.map(count)
        let second = try microBatches.map(count)
        let third = try microBatches.map(count)
        #expect(first.allSatisfy { $0.bytes > 4096 })
        #expect(second == third)
        #expect(second.allSatisfy { $0.allocations <= 32 && $0.bytes <= 4096 })
    }
}
