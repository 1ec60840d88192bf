import Kernels
import Memory
import Models
import Pipelines

/// What the machine can do at most with a number of threads, measured.
struct MachinePeaks: Encodable, Sendable {
    /// 10⁹ operations a second, a multiply-add counted as two.
    var f32GFLOPS: Double
    /// The same of bfloat16 pairs.
    var bf16GFLOPS: Double
    /// 10⁹ bytes a second read from memory far larger than the caches.
    var readGBps: Double
    var threads: Int

    /// 10⁹ operations a second of products in a precision.
    func gigaflops(_ precision: Precision) -> Double {
        switch precision {
        case .float32: f32GFLOPS
        case .bfloat16: bf16GFLOPS
        }
    }

    /// Takes what is larger in another measurement with as many threads.
    mutating func raise(to other: MachinePeaks) {
        f32GFLOPS = max(f32GFLOPS, other.f32GFLOPS)
        bf16GFLOPS = max(bf16GFLOPS, other.bf16GFLOPS)
        readGBps = max(readGBps, other.readGBps)
    }

    private static let readFloats = 32 << 20

    /// What a measurement takes in memory.
    static let bytes = 4 * Double(readFloats)

    /// The best of some rounds in which all threads work at once.
    static func measure(on executor: ComputeExecutor) async -> MachinePeaks {
        // The second time, what the benchmark has freed would add to it.
        Allocator.returnFreedMemory()
        let source = ReadSource(count: readFloats)
        let arithmetic = await ParallelTiming.best(of: 20, on: executor) { _ in
            Peaks.measureFMA(trials: 1, repetitions: 500_000)
        }
        let pairs = await ParallelTiming.best(of: 20, on: executor) { _ in
            Peaks.measurePairProducts(trials: 1, repetitions: 500_000)
        }
        let share = readFloats / executor.threads
        let reading = await ParallelTiming.best(of: 12, on: executor) { thread in
            Peaks.measureRead(source.buffer.pointer + thread * share, count: share, trials: 1)
        }
        return MachinePeaks(
            f32GFLOPS: arithmetic * 1e-9, bf16GFLOPS: pairs * 1e-9, readGBps: reading * 1e-9, threads: executor.threads)
    }

    private final class ReadSource: Sendable {
        let buffer: AlignedBuffer<Float>

        init(count: Int) {
            buffer = AlignedBuffer(count: count, pages: .large)
            // Untouched pages would all be the one page of zeros.
            Elementwise.fill(buffer.pointer, with: 1, count: count)
        }
    }
}
