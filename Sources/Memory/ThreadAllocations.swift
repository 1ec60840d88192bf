/// One thread's counter of allocated bytes, for any thread to read while that one lives.
///
///     let worker = ThreadAllocations.ofPresentThread()   // on the worker
///     let before = worker.bytes                          // anywhere
///
/// A reading is exact once the reader has synchronised with what the thread did, as a barrier or an awaited result does.
// Unchecked: jemalloc keeps the counter in the thread's own storage, where that thread alone writes it, an aligned word at a time,
// so that no reader sees half of one; who wants an exact reading synchronises with the thread, as said above.
public struct ThreadAllocations: @unchecked Sendable {
    private let counter: UnsafePointer<UInt64>

    /// - Throws: `AllocatorError` where jemalloc keeps no such statistics.
    public static func ofPresentThread() throws(AllocatorError) -> ThreadAllocations {
        ThreadAllocations(
            counter: try Allocator.read("thread.allocatedp", as: UnsafePointer<UInt64>.self))
    }

    /// Bytes that the thread has ever allocated, from every arena; freeing does not lower it.
    public var bytes: UInt64 { counter.pointee }
}
