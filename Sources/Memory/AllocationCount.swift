import CJemalloc
import Synchronization

/// What a piece of work allocated on the thread that it ran on.
public struct AllocationCount: Sendable, Hashable {
    /// Allocations; those from an explicit `Arena` are not among them.
    public var allocations: Int
    /// Bytes, from every arena, rounded up to jemalloc's size classes.
    public var bytes: Int
}

extension Allocator {
    /// Counts what `body` allocates on the present thread; what other threads do is not seen.
    ///
    ///     let count = try Allocator.count { generator.step(weights) }
    ///
    /// The thread allocates from an arena of its own meanwhile, without its cache, so that the arena's statistics tell every
    /// call: slower than usual by some hundred nanoseconds a call. One count at a time in the process; counts do not nest.
    ///
    /// - Throws: `AllocatorError`; what `body` throws goes through.
    public static func count(_ body: () throws -> Void) throws -> AllocationCount {
        try countingArena.withLock { made in
            let arena: CountingArena
            if let made {
                arena = made
            } else {
                arena = try CountingArena()
                made = arena
            }
            let usual = try read("thread.arena", as: UInt32.self)
            let hadCache = try read("thread.tcache.enabled", as: Bool.self)
            let count = Result {
                try write("thread.arena", arena.index)
                try write("thread.tcache.enabled", false)
                let before = try arena.allocations
                let bytesBefore = threadAllocatedBytes()
                try body()
                let bytes = threadAllocatedBytes() - bytesBefore
                return AllocationCount(allocations: try arena.allocations - before, bytes: Int(bytes))
            }
            // Whatever happened, and in this order: a cache that fills up again does so from the usual arena.
            try write("thread.arena", usual)
            try write("thread.tcache.enabled", hadCache)
            return try count.get()
        }
    }

    /// Made at the first count and kept, since what a body allocated may outlive it.
    private static let countingArena = Mutex<CountingArena?>(nil)

    private struct CountingArena {
        let index: UInt32
        // Made in advance, for the thread that reads them allocates from this arena.
        private let small: String
        private let large: String

        init() throws(AllocatorError) {
            index = try Allocator.read("arenas.create", as: UInt32.self)
            small = "stats.arenas.\(index).small.nmalloc"
            large = "stats.arenas.\(index).large.nmalloc"
        }

        /// Allocations that it has ever served to threads without a cache.
        var allocations: Int {
            get throws(AllocatorError) {
                try Allocator.refresh()
                return Int(try Allocator.read(small, as: UInt64.self)) + Int(try Allocator.read(large, as: UInt64.self))
            }
        }
    }
}
