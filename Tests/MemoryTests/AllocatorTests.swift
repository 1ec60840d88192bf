import Glibc
import Memory
import Testing

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

    @Test func statisticsFollowALargeAllocation() throws {
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

    @Test func errorsNameTheControl() {
        let error = AllocatorError(control: "stats.allocated", code: ENOENT)
        #expect("\(error)".contains("stats.allocated"))
    }
}
