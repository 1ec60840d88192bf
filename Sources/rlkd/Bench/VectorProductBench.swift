import Kernels
import Memory
import Models
import Pipelines

/// The product of one row with a matrix, as a decode step of one sequence has it: bound by reading the weights, so that it goes
/// round through copies that no cache holds.
final class VectorProductBench: Sendable {
    private static let totalFloats = 32 << 20

    /// What all copies take, where one alone is not larger.
    static let bytes = 4 * Double(totalFloats)

    private let outputs: Int
    private let depth: Int
    private let precision: Precision
    private let laneCount: Int
    private let copies: Int
    private let packed: AlignedBuffer<Float>
    private let input: AlignedBuffer<Float>
    private let results: AlignedBuffer<Float>
    private let scratch: AlignedBuffer<BFloat16Pair>

    init(outputs: Int, depth: Int, _ precision: Precision, threads: Int) {
        self.outputs = outputs
        self.depth = depth
        self.precision = precision
        laneCount = PackedMatrix.laneCount(outputs: outputs, depth: depth, precision: precision)
        copies = max(1, Self.totalFloats / laneCount)
        packed = .filled(copies * laneCount)
        input = .filled(depth)
        results = AlignedBuffer(count: threads * outputs)
        scratch = AlignedBuffer(count: threads * BFloat16Product.pairCount(depth))
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
        let productsPerSecond = rate * Double(share)
        return BenchResult(
            name: "gemv.\(precision.rawValue).\(outputs)x\(depth)",
            gigaflops: productsPerSecond * 2 * Double(outputs) * Double(depth) * 1e-9,
            fractionOfPeak: productsPerSecond * 4 * Double(laneCount) * 1e-9 / peaks.readGBps)
    }

    private func multiply(copy: Int, thread: Int) {
        PackedMatrix(
            panels: packed.pointer + copy * laneCount, outputs: outputs, depth: depth, precision: precision
        ).multiply(
            input.pointer, rows: 1, into: results.pointer + thread * outputs,
            scratch: scratch.pointer + thread * BFloat16Product.pairCount(depth))
    }
}
