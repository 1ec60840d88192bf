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

    /// Takes the peaks of rounds where they are larger.
    mutating func raise(
        arithmetic products: some Sequence<TimedRound>, of precision: Precision, reading: some Sequence<TimedRound>
    ) {
        let gigaflops = (products.map(\.peak).max() ?? 0) * 1e-9
        switch precision {
        case .float32: f32GFLOPS = max(f32GFLOPS, gigaflops)
        case .bfloat16: bf16GFLOPS = max(bf16GFLOPS, gigaflops)
        }
        readGBps = max(readGBps, (reading.map(\.peak).max() ?? 0) * 1e-9)
    }

    /// What a measurement takes in memory.
    static let bytes = ReadSource.bytes

    /// The best of some rounds in which all threads work at once.
    static func measure(on executor: ComputeExecutor) async -> MachinePeaks {
        // The second time, what the benchmark has freed would add to it.
        Allocator.returnFreedMemory()
        let source = ReadSource()
        let arithmetic = await ParallelTiming.best(of: 20, on: executor) { _ in Precision.float32.measurePeak() }
        let pairs = await ParallelTiming.best(of: 20, on: executor) { _ in Precision.bfloat16.measurePeak() }
        let threads = executor.threads
        let reading = await ParallelTiming.best(of: 12, on: executor) { source.measurePeak(thread: $0, of: threads) }
        return MachinePeaks(
            f32GFLOPS: arithmetic * 1e-9, bf16GFLOPS: pairs * 1e-9, readGBps: reading * 1e-9, threads: threads)
    }
}

extension Precision {
    /// Operations a second of one thread, over some milliseconds: in shorter time it may run at a clock that does not last.
    func measurePeak() -> Double {
        switch self {
        case .float32: Peaks.measureFMA(trials: 1, repetitions: 500_000)
        case .bfloat16: Peaks.measurePairProducts(trials: 1, repetitions: 500_000)
        }
    }
}
