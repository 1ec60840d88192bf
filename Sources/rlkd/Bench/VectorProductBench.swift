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

    private let matrix: ProductShape
    private let precision: Precision
    private let laneCount: Int
    private let copies: Int
    private let packed: AlignedBuffer<Float>
    private let input: AlignedBuffer<Float>
    private let results: AlignedBuffer<Float>
    private let scratchCount: Int
    private let scratch: AlignedBuffer<BFloat16Pair>

    init(_ matrix: ProductShape, _ precision: Precision, threads: Int) {
        self.matrix = matrix
        self.precision = precision
        laneCount = PackedMatrix.laneCount(outputs: matrix.outputs, depth: matrix.depth, precision: precision)
        copies = max(1, Self.totalFloats / laneCount)
        packed = .filled(copies * laneCount)
        input = .filled(matrix.depth)
        results = AlignedBuffer(count: threads * matrix.outputs)
        scratchCount = PackedMatrix.scratchCount(rows: 1, depth: matrix.depth, precision: precision)
        scratch = AlignedBuffer(count: threads * scratchCount)
    }

    /// Products a second of all threads, which share out the copies, beside the peak in bytes read a second.
    func rounds(on executor: ComputeExecutor, reading source: ReadSource) async -> [TimedRound] {
        let threads = executor.threads
        let share = max(1, copies / threads)
        let rounds = await ParallelTiming.rounds(
            on: executor, peak: { source.measurePeak(thread: $0, of: threads) },
            body: { thread in
                for index in 0..<share {
                    self.multiply(copy: (thread * share + index) % self.copies, thread: thread)
                }
            })
        return rounds.map { TimedRound(rate: $0.rate * Double(share), peak: $0.peak) }
    }

    private func multiply(copy: Int, thread: Int) {
        PackedMatrix(
            panels: packed.pointer + copy * laneCount, outputs: matrix.outputs, depth: matrix.depth,
            precision: precision
        ).multiply(
            input.pointer, rows: 1, into: results.pointer + thread * matrix.outputs,
            scratch: scratch.pointer + thread * scratchCount)
    }
}
