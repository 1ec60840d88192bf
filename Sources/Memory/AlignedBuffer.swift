import CJemalloc
import Glibc

/// Owns `count` elements aligned to a cache line (64 bytes), zeroed at birth; freed when it goes.
///
///     let weights = AlignedBuffer<Float>(count: rows * columns, pages: .large)
///     weights.pointer[0] = 1
///
/// The elements are shared through `pointer` without any check: whoever hands the pointer to several threads arranges that
/// no element is written while another thread touches it.
// Unchecked: the buffer is immutable but for the memory behind the pointer, for which the rule above holds; each owner that
// threads share says how it keeps to that. Memory is freed with the owner, when nobody else has the buffer.
public struct AlignedBuffer<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    public let count: Int
    public let pointer: UnsafeMutablePointer<Element>
    /// The arena that the memory came from; nil for the process's automatic arenas.
    public let arena: Arena?
    /// What the system was asked for; never large where the buffer is small.
    public let pages: PageSize

    private static var stride: Int { MemoryLayout<Element>.stride }

    /// Allocates zeroed memory for `count` elements, from `arena` or from the process's automatic arenas.
    ///
    /// Traps when memory is exhausted, as every Swift allocation does.
    public init(count: Int, pages: PageSize = .standard, arena: Arena? = nil) {
        precondition(count >= 0, "a buffer cannot hold \(count) elements")
        let (bytes, overflow) = count.multipliedReportingOverflow(by: Self.stride)
        precondition(!overflow, "a buffer cannot hold \(count) elements of \(Self.stride) bytes")
        self.pages = bytes < PageSize.leastLargeBytes ? .standard : pages
        let alignment = self.pages == .large ? PageSize.largeBytes : max(64, MemoryLayout<Element>.alignment)
        let logarithm = UInt32(alignment.trailingZeroBitCount)
        let flags = jemalloc_alignment_flags(logarithm) | jemalloc_zero_flag | (arena?.flags ?? 0)
        guard let memory = mallocx(max(64, bytes), flags) else {
            fatalError("out of memory: \(bytes) bytes")
        }
        if self.pages == .large {
            // A system that has no such pages refuses, and goes on with its usual ones.
            madvise(memory, bytes, MADV_HUGEPAGE)
        }
        self.count = count
        self.arena = arena
        pointer = memory.bindMemory(to: Element.self, capacity: count)
    }

    deinit {
        if pages == .large {
            // The advice stays with the addresses, which jemalloc gives to others: of a buffer that is little used, each touched
            // corner would take 2 MiB. At worst, where the system gives large pages unasked, the next owner has small ones.
            madvise(pointer, count * Self.stride, MADV_NOHUGEPAGE)
        }
        dallocx(pointer, arena == nil ? 0 : jemalloc_no_thread_cache_flag)
    }

    public var span: UnsafeMutableBufferPointer<Element> {
        UnsafeMutableBufferPointer(start: pointer, count: count)
    }
}
