import Foundation
import Memory
import Synchronization
import Testing

@Suite struct AllocationCountTests {
    /// Small and large ones, each of its own size class.
    @Test(arguments: [0, 1, 2, 7, 1000], [1, 48, 5000, 100_000])
    func everyAllocationIsCounted(calls: Int, bytes: Int) throws {
        var memory: [UnsafeMutableRawPointer?] = Array(repeating: nil, count: calls)
        let count = try Allocator.count {
            for index in memory.indices { memory[index] = malloc(bytes) }
        }
        for pointer in memory { free(pointer) }
        #expect(count.allocations == calls)
        #expect(count.bytes >= calls * bytes)
        #expect(count.bytes <= calls * max(16, bytes * 5 / 4))
    }

    @Test func memoryThatIsFreedAtOnceIsCountedToo() throws {
        let sizes = Array(1...200)
        let count = try Allocator.count {
            for size in sizes {
                let buffer = AlignedBuffer<UInt8>(count: size)
                buffer.pointer[0] = 1
            }
        }
        #expect(count.allocations == 200)
    }

    @Test func arraysAndObjectsAreCounted() throws {
        var kept: [Any] = []
        kept.reserveCapacity(20)
        let count = try Allocator.count {
            for length in 1...10 {
                kept.append([Int](repeating: length, count: 10 * length))
                kept.append(Turns())
            }
        }
        #expect(kept.count == 20)
        #expect(count.allocations == 20)
    }

    @Test func whatLivesOnIsKept() throws {
        var kept: [[Int]] = []
        for round in 0..<3 {
            _ = try Allocator.count { kept.append(Array(0..<100 + round)) }
        }
        #expect(kept.map(\.count) == [100, 101, 102])
        #expect(kept.allSatisfy { $0 == Array(0..<$0.count) })
    }

    @Test func errorsPassThroughAndLeaveTheThreadAsItWas() throws {
        struct Stop: Error {}
        #expect(throws: Stop.self) { try Allocator.count { throw Stop() } }
        let nothing = try Allocator.count {}
        #expect(nothing.allocations == 0)
        #expect(nothing.bytes == 0)
    }

    @Test func aThreadsCounterIsReadFromAnother() throws {
        let turns = Turns()
        Thread.detachNewThread {
            turns.counter.withLock { $0 = try? ThreadAllocations.ofPresentThread() }
            turns.pass(to: 1)
            turns.wait(for: 2)
            let buffer = AlignedBuffer<UInt8>(count: 1 << 20)
            buffer.pointer[0] = 1
            turns.pass(to: 3)
            turns.wait(for: 4)
        }
        turns.wait(for: 1)
        defer { turns.pass(to: 4) }
        let counter = try #require(turns.counter.withLock { $0 })
        let before = counter.bytes
        turns.pass(to: 2)
        turns.wait(for: 3)
        #expect(counter.bytes - before == 1 << 20)
    }

    /// Two threads that take turns.
    private final class Turns: Sendable {
        let counter = Mutex<ThreadAllocations?>(nil)
        private let turn = Atomic(0)

        func pass(to turn: Int) {
            self.turn.store(turn, ordering: .releasing)
        }

        func wait(for turn: Int) {
            while self.turn.load(ordering: .acquiring) != turn { sched_yield() }
        }
    }
}
