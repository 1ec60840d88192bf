import CJemalloc

/// An explicit jemalloc arena: memory kept apart from the rest of the process and counted on its own, one a stage.
///
///     let arena = try Arena(name: "rollout")
///     let cache = AlignedBuffer<Float>(count: 1 << 20, arena: arena)
///     let bytes = try arena.allocatedBytes()
///
/// Buffers keep their arena alive; the arena returns its memory to the system when the last of them is gone.
public final class Arena: Sendable {
    public let name: String
    /// jemalloc's number for the arena.
    public let index: UInt32

    /// Throws `AllocatorError` when jemalloc has no arena left to give.
    public init(name: String) throws(AllocatorError) {
        self.name = name
        index = try Allocator.read("arenas.create", as: UInt32.self)
    }

    deinit {
        // No buffer is left, for each holds a reference. A failure leaves the empty arena behind, which harms nothing.
        _ = mallctl("arena.\(index).destroy", nil, nil, nil, 0)
    }

    /// Bytes in live allocations from this arena, rounded up to jemalloc's size classes.
    public func allocatedBytes() throws(AllocatorError) -> Int {
        try Allocator.refresh()
        let small = try Allocator.read("stats.arenas.\(index).small.allocated", as: Int.self)
        let large = try Allocator.read("stats.arenas.\(index).large.allocated", as: Int.self)
        return small + large
    }

    var flags: Int32 {
        jemalloc_arena_flags(index)
    }
}
