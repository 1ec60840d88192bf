import Kernels
import Memory
import Pipelines

/// The product of one row with a matrix, as a decode step of one sequence has it: bound by reading the weights, so that it goes
/// round through copies that no cache holds.
final class VectorProductBench: Sendable {
    private static let totalFloats = 32 << 20

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
        let seconds = await ParallelTiming.secondsPerRepetition(on: executor) { thread in
            for copy in stride(from: thread, to: max(self.copies, threads), by: threads) {
                self.multiply(copy: copy % self.copies, thread: thread)
            }
        }
        let products = Double(max(copies, threads))
        let weights = Double(outputs) * Double(depth)
        return BenchResult(
            name: "gemv.f32.\(outputs)x\(depth)", gigaflops: 2 * weights * products / seconds * 1e-9,
            fractionOfPeak: 4 * weights * products / seconds * 1e-9 / peaks.readGBps)
    }

    private func multiply(copy: Int, thread: Int) {
        MatrixProduct.multiply(
            input.pointer, rows: 1, rowStride: depth, packed: packed.pointer + copy * packedCount, outputs: outputs,
            depth: depth, into: results.pointer + thread * outputs, resultStride: outputs, accumulating: false)
    }
}
