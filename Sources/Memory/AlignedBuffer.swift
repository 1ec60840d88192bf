import CJemalloc
import Glibc

/// Owns `count` elements aligned to a cache line (64 bytes), zeroed at birth; freed when it goes.
///
///     let weights = AlignedBuffer<Float>(count: rows * columns)
///     weights.pointer[0] = 1
///
/// The elements are shared through `pointer` without any check: whoever hands the pointer to several threads arranges that
/// no element is written while another thread touches it.
// The buffer is immutable but for the memory behind the pointer, for which the rule above holds.
public struct AlignedBuffer<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    public let count: Int
    public let pointer: UnsafeMutablePointer<Element>
    /// The arena that the memory came from; nil for the process's automatic arenas.
    public let arena: Arena?

    private static var largePage: Int { 2 << 20 }
    private static var largeBytes: Int { 2 * largePage }

    /// Allocates zeroed memory for `count` elements, from `arena` or from the process's automatic arenas.
    ///
    /// Traps when memory is exhausted, as every Swift allocation does.
    public init(count: Int, arena: Arena? = nil) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        precondition(!overflow, "a buffer cannot hold \(count) elements of \(MemoryLayout<Element>.stride) bytes")
        let isLarge = bytes >= Self.largeBytes
        let alignment = isLarge ? Self.largePage : max(64, MemoryLayout<Element>.alignment)
        let logarithm = UInt32(alignment.trailingZeroBitCount)
        let flags = jemalloc_alignment_flags(logarithm) | jemalloc_zero_flag | (arena?.flags ?? 0)
        guard let memory = mallocx(max(64, bytes), flags) else {
            fatalError("out of memory: \(bytes) bytes")
        }
        if isLarge {
            // Weights and gradients are read from end to end: with pages of 2 MiB, address translation costs next to nothing.
            madvise(memory, bytes, MADV_HUGEPAGE)
        }
        self.count = count
        self.arena = arena
        pointer = memory.bindMemory(to: Element.self, capacity: count)
    }

    deinit {
        dallocx(pointer, arena == nil ? 0 : jemalloc_no_thread_cache_flag)
    }

    public var span: UnsafeMutableBufferPointer<Element> {
        UnsafeMutableBufferPointer(start: pointer, count: count)
    }
}
