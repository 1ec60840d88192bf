import CJemalloc
import Glibc
import Synchronization

/// The process's allocator: jemalloc, which takes the place of `malloc` in every program that links this module.
///
///     let before = Allocator.threadAllocatedBytes()
///     work()
///     let allocated = Allocator.threadAllocatedBytes() - before
public enum Allocator {
    /// What the allocator holds now. Refreshes jemalloc's counters first.
    public static func statistics() throws(AllocatorError) -> AllocatorStatistics {
        try refresh()
        return AllocatorStatistics(
            version: try version(),
            arenas: Int(try read("arenas.narenas", as: UInt32.self)),
            allocatedBytes: try read("stats.allocated", as: Int.self),
            activeBytes: try read("stats.active", as: Int.self),
            residentBytes: try read("stats.resident", as: Int.self),
            mappedBytes: try read("stats.mapped", as: Int.self))
    }

    /// Gives the system what was freed and waits to be allocated anew: of a run's phase, say, when the next one needs buffers of
    /// other sizes. By itself jemalloc keeps it for some ten seconds. What other threads' caches hold, small sizes alone, stays
    /// with them.
    public static func returnFreedMemory() {
        // A thread's cache gives back to the arena what the arena can give to the system. Either control fails where jemalloc is
        // built without it, and then memory goes back when its time has come.
        _ = mallctl("thread.tcache.flush", nil, nil, nil, 0)
        _ = mallctl("arena.\(MALLCTL_ARENAS_ALL).purge", nil, nil, nil, 0)
    }

    /// jemalloc's version, for example `5.3.0-0-g54eaed1d`.
    public static func version() throws(AllocatorError) -> String {
        String(cString: try read("version", as: UnsafePointer<CChar>.self))
    }

    /// Whether plain `malloc` is served by jemalloc: proved, each time, by an allocation that must move jemalloc's counter of
    /// this thread.
    public static var isProcessAllocator: Bool {
        let bytes = 4 << 20
        let before = threadAllocatedBytes()
        guard let memory = malloc(bytes) else { return false }
        // An address that others may see keeps the compiler from dropping the pair of calls.
        witness.store(UInt(bitPattern: memory), ordering: .relaxed)
        let after = threadAllocatedBytes()
        free(memory)
        return after - before >= UInt64(bytes)
    }

    private static let witness = Atomic<UInt>(0)

    /// Bytes that the calling thread has ever allocated; freeing does not lower it. A few nanoseconds: the place of the counter
    /// is asked for once a thread.
    public static func threadAllocatedBytes() -> UInt64 {
        if let counter = pthread_getspecific(ThreadCounter.key) {
            return counter.assumingMemoryBound(to: UInt64.self).pointee
        }
        return ThreadCounter.locate()?.pointee ?? 0
    }

    /// Makes jemalloc bring its statistics up to date; they stand still between calls.
    static func refresh() throws(AllocatorError) {
        try write("epoch", UInt64(1))
    }

    /// Reads a control of type `Value`; allocates nothing.
    static func read<Value: BitwiseCopyable>(
        _ control: String, as type: Value.Type
    ) throws(AllocatorError) -> Value {
        var size = MemoryLayout<Value>.size
        let (value, code) = withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { buffer -> (Value?, Int32) in
            let code = control.withCString { mallctl($0, buffer.baseAddress, &size, nil, 0) }
            return (code == 0 ? buffer[0] : nil, code)
        }
        guard let value else { throw AllocatorError(control: control, code: code) }
        return value
    }

    /// Sets a control of type `Value`; allocates nothing.
    static func write<Value: BitwiseCopyable>(_ control: String, _ value: Value) throws(AllocatorError) {
        var value = value
        let code = control.withCString { mallctl($0, nil, nil, &value, MemoryLayout<Value>.size) }
        guard code == 0 else { throw AllocatorError(control: control, code: code) }
    }
}

/// Where jemalloc counts a thread's allocations, remembered in a thread-specific value.
private enum ThreadCounter {
    static let key: pthread_key_t = {
        var key = pthread_key_t()
        let code = pthread_key_create(&key, nil)
        precondition(code == 0, "no thread-specific key is left (error \(code))")
        return key
    }()

    /// It stands in the thread's own storage, which lasts as long as the thread that remembers it.
    static func locate() -> UnsafeMutablePointer<UInt64>? {
        guard let counter = try? Allocator.read("thread.allocatedp", as: UnsafeMutablePointer<UInt64>.self) else {
            return nil
        }
        pthread_setspecific(key, counter)
        return counter
    }
}
