import Testing

@testable import Models

@Suite struct ChunkTests {
    /// Two positions of a block share words of memory, so rows that several threads store at once must be of different blocks.
    @Test(arguments: [(0, 100), (287, 287), (5, 1), (31, 2), (16, 16), (1, 256)])
    func chunksOfAPromptShareNoBlock(firstPosition: Int, count: Int) throws {
        let configuration = try ModelFixture("qwen2-tiny").parameters.configuration
        let inference = DecoderInference(
            configuration: configuration, rowCapacity: 300, logitCapacity: 1, pageCapacity: 64)
        var table = PageTable(maxPositions: 600)
        let isReserved = table.reserve(positions: firstPosition + count, from: inference.pages)
        #expect(isReserved)
        let tokens = [Int32](repeating: 1, count: count)
        inference.begin()
        tokens.withUnsafeBufferPointer {
            _ = inference.append(tokens: $0, firstPosition: firstPosition, table: table, wantsLogits: true)
        }
        let chunks = inference.chunks
        #expect(chunks.reduce(0) { $0 + $1.count } == (count == 1 ? 0 : count))
        #expect(chunks.dropFirst().allSatisfy { $0.firstPosition % 16 == 0 })
        #expect(zip(chunks, chunks.dropFirst()).allSatisfy { $0.firstPosition + $0.count == $1.firstPosition })
        table.release(to: inference.pages)
    }
}
