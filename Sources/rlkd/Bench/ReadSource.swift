import Kernels
import Memory

/// Memory far larger than the caches, whose reading by all threads at once is the peak that reading is held against.
final class ReadSource: Sendable {
    private static let count = 32 << 20
    static let bytes = 4 * Double(count)

    private let buffer = AlignedBuffer<Float>(count: count, pages: .large)

    init() {
        // Untouched pages would all be the one page of zeros.
        Elementwise.fill(buffer.pointer, with: 1, count: Self.count)
    }

    /// Bytes a second of a thread that reads its share.
    func measurePeak(thread: Int, of threads: Int) -> Double {
        let share = Self.count / threads
        return Peaks.measureRead(buffer.pointer + thread * share, count: share, trials: 1)
    }
}
