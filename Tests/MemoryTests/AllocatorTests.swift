import Glibc
import Testing

@testable import Memory

@Suite struct AllocatorTests {
    @Test func jemallocServesTheProcess() throws {
        #expect(Allocator.isProcessAllocator)
        #expect(try Allocator.version().hasPrefix("5."))
    }

    @Test(arguments: [1 << 20, 3 << 20, 40 << 20])
    func plainMallocMovesTheThreadsCounter(bytes: Int) throws {
        let before = Allocator.threadAllocatedBytes()
        let memory = try #require(malloc(bytes))
        memory.storeBytes(of: 7, as: UInt8.self)
        let after = Allocator.threadAllocatedBytes()
        free(memory)
        #expect(after - before >= UInt64(bytes))
        // Size classes are at most a quarter apart.
        #expect(after - before <= UInt64(bytes) * 5 / 4 + 65536)
    }

    @Test func arraysMoveTheThreadsCounter() {
        let before = Allocator.threadAllocatedBytes()
        let array = [Double](repeating: 1, count: 1 << 19)
        let after = Allocator.threadAllocatedBytes()
        #expect(array.reduce(0, +) == Double(1 << 19))
        #expect(after - before >= 4 << 20)
    }

    @Test func arithmeticAllocatesNothing() {
        _ = Allocator.threadAllocatedBytes()
        let before = Allocator.threadAllocatedBytes()
        var sum: UInt64 = 0
        for value in 0..<10_000 as Range<UInt64> {
            sum = sum &* 31 &+ value &+ Allocator.threadAllocatedBytes() % 2
        }
        let after = Allocator.threadAllocatedBytes()
        #expect(sum != 0)
        #expect(after == before)
    }

    /// In a process of its own: the figures are read one after another, and other tests allocate, free and refresh meanwhile.
    @Test func statisticsFollowALargeAllocation() async {
        await #expect(processExitsWith: .success) {
            let bytes = 256 << 20
            let memory = try #require(malloc(bytes))
            memory.storeBytes(of: 7, as: UInt8.self)
            let during = try Allocator.statistics()
            free(memory)
            #expect(during.allocatedBytes >= bytes)
            #expect(during.activeBytes >= during.allocatedBytes)
            #expect(during.mappedBytes >= during.activeBytes)
            #expect(during.residentBytes > 0)
            #expect(during.arenas > 0)
        }
    }

    /// Of every arena: of one whose freed memory would otherwise stay for good, too. In a process of its own: training runs of other
    /// tests give back what was freed everywhere, at any moment.
    @Test func freedMemoryGoesBackAtOnce() async {
        await #expect(processExitsWith: .success) {
            let arena = try Arena(name: "freed")
            try Allocator.write("arena.\(arena.index).dirty_decay_ms", -1)
            func kept() throws -> Int {
                try Allocator.refresh()
                let pages = try Allocator.read("stats.arenas.\(arena.index).pdirty", as: Int.self)
                return pages * (try Allocator.read("arenas.page", as: Int.self))
            }
            let bytes = 1 << 20
            do {
                let buffers = AlignedBuffer<UInt8>(count: bytes, arena: arena)
                buffers.pointer.initialize(repeating: 1, count: bytes)
            }
            #expect(try kept() >= bytes)
            Allocator.returnFreedMemory()
            #expect(try kept() == 0)
        }
    }

    @Test func errorsNameTheControl() {
        let error = AllocatorError(control: "stats.allocated", code: ENOENT)
        #expect("\(error)".contains("stats.allocated"))
    }
}
