import Kernels
import Memory
import Pipelines

/// The product of one row with a matrix, as a decode step of one sequence has it: bound by reading the weights, so that it goes
/// round through copies that no cache holds.
final class VectorProductBench: Sendable {
    private static let totalFloats = 32 << 20

    /// What all copies take, where one alone is not larger.
    static let bytes = 4 * Double(totalFloats)

    private let outputs: Int
    private let depth: Int
    private let packedCount: Int
    private let copies: Int
    private let packed: AlignedBuffer<Float>
    private let input: AlignedBuffer<Float>
    private let results: AlignedBuffer<Float>

    init(outputs: Int, depth: Int, threads: Int) {
        self.outputs = outputs
        self.depth = depth
        packedCount = MatrixProduct.packedCount(outputs: outputs, depth: depth)
        copies = max(1, Self.totalFloats / packedCount)
        packed = .filled(copies * packedCount)
        input = .filled(depth)
        results = AlignedBuffer(count: threads * outputs)
    }

    /// The threads share out the copies.
    func measure(on executor: ComputeExecutor, peaks: MachinePeaks) async -> BenchResult {
        let threads = executor.threads
        let share = max(1, copies / threads)
        let rate = await ParallelTiming.repetitionsPerSecond(on: executor) { thread in
            for index in 0..<share {
                self.multiply(copy: (thread * share + index) % self.copies, thread: thread)
            }
        }
        let weightsPerSecond = rate * Double(share) * Double(outputs) * Double(depth)
        return BenchResult(
            name: "gemv.f32.\(outputs)x\(depth)", gigaflops: 2 * weightsPerSecond * 1e-9,
            fractionOfPeak: 4 * weightsPerSecond * 1e-9 / peaks.readGBps)
    }

    private func multiply(copy: Int, thread: Int) {
        MatrixProduct.multiply(
            input.pointer, rows: 1, rowStride: depth, packed: packed.pointer + copy * packedCount, outputs: outputs,
            depth: depth, into: results.pointer + thread * outputs, resultStride: outputs, accumulating: false)
    }
}
