import Memory
import Testing

@Suite struct AlignedBufferTests {
    @Test(arguments: [0, 1, 3, 64, 1000, 1 << 20])
    func isAlignedAndZeroed(count: Int) {
        let buffer = AlignedBuffer<Float>(count: count)
        #expect(UInt(bitPattern: buffer.pointer) % 64 == 0)
        #expect(buffer.count == count)
        #expect(buffer.span.count == count)
        #expect(buffer.span.allSatisfy { $0 == 0 })
        #expect(buffer.arena == nil)
    }

    @Test func memoryComesBackZeroedAfterUse() {
        for _ in 0..<100 {
            let buffer = AlignedBuffer<UInt64>(count: 512)
            #expect(buffer.span.allSatisfy { $0 == 0 })
            buffer.span.update(repeating: .max)
        }
    }

    @Test func wideElementsKeepTheirAlignment() {
        let buffer = AlignedBuffer<SIMD64<Double>>(count: 3)
        #expect(UInt(bitPattern: buffer.pointer) % UInt(MemoryLayout<SIMD64<Double>>.alignment) == 0)
    }

    @Test func onlyLargeBuffersStandInLargePages() {
        #expect(AlignedBuffer<UInt8>(count: 16 << 20).pages == .standard)
        #expect(AlignedBuffer<UInt8>(count: 4 << 20 - 1, pages: .large).pages == .standard)
        let buffer = AlignedBuffer<UInt8>(count: 5 << 20 + 7, pages: .large)
        #expect(buffer.pages == .large)
        #expect(UInt(bitPattern: buffer.pointer) % (2 << 20) == 0)
        #expect(buffer.span.allSatisfy { $0 == 0 })
    }

    /// The next owner of the addresses is not to have large pages that it did not ask for. In a process of its own: the list of
    /// mappings has gaps while other threads change them.
    @Test(.enabled(if: MappedFlags.areKnown, "the system tells no flags of its mappings"))
    func adviceEndsWithTheBuffer() async {
        await #expect(processExitsWith: .success) {
            // An arena keeps its addresses, so those of the first buffer go to the second.
            let arena = try Arena(name: "advised")
            var address: UInt = 0
            do {
                let buffer = AlignedBuffer<UInt8>(count: 8 << 20, pages: .large, arena: arena)
                buffer.span.update(repeating: 1)
                address = UInt(bitPattern: buffer.pointer)
                #expect(MappedFlags.of(address)?.contains("hg") == true)
            }
            #expect(MappedFlags.of(address)?.contains("hg") != true)
            let buffer = AlignedBuffer<UInt8>(count: 8 << 20, arena: arena)
            buffer.pointer[0] = 1
            #expect(MappedFlags.of(UInt(bitPattern: buffer.pointer))?.contains("hg") == false)
        }
    }

    @Test func anArenaCountsItsBuffers() throws {
        let arena = try Arena(name: "rollout")
        let other = try Arena(name: "scoring")
        #expect(arena.index != other.index)
        #expect(try arena.allocatedBytes() == 0)
        do {
            let small = AlignedBuffer<Float>(count: 16, arena: arena)
            let large = AlignedBuffer<Float>(count: 1 << 20, arena: arena)
            let bytes = try arena.allocatedBytes()
            #expect(bytes >= 4 << 20)
            #expect(bytes < 6 << 20)
            #expect(try other.allocatedBytes() == 0)
            #expect(small.arena === arena)
            #expect(large.span.allSatisfy { $0 == 0 })
        }
        #expect(try arena.allocatedBytes() == 0)
    }

    @Test func aBufferKeepsItsArenaAlive() throws {
        func makeBuffer() throws -> AlignedBuffer<UInt8> {
            AlignedBuffer(count: 1 << 16, arena: try Arena(name: "short-lived"))
        }
        let buffer = try makeBuffer()
        buffer.span.update(repeating: 9)
        #expect(buffer.span.allSatisfy { $0 == 9 })
        let kept = buffer.arena
        let arena = try #require(kept)
        #expect(try arena.allocatedBytes() >= 1 << 16)
    }

    @Test func arenasComeAndGo() throws {
        var indices = Set<UInt32>()
        for round in 0..<200 {
            let arena = try Arena(name: "round \(round)")
            let buffer = AlignedBuffer<UInt8>(count: 4096, arena: arena)
            buffer.pointer[0] = 1
            indices.insert(arena.index)
        }
        // Destroyed arenas are used again.
        #expect(indices.count < 200)
    }
}
