import TestSupport
import Testing

@testable import Models

@Suite struct MemberBuffersTests {
    /// Each place keeps room for the most that was ever asked for, on cache lines of its own, and stays where it is until more
    /// is.
    @Test func everyPlaceHasRoomOfItsOwn() {
        var random = SeededGenerator(seed: 9)
        for _ in 0..<50 {
            var buffers = MemberBuffers<Float>()
            var most = (count: 0, places: 0)
            for _ in 0..<12 {
                let (count, places) = (Int.random(in: 0...70, using: &random), Int.random(in: 1...5, using: &random))
                let before = buffers(0)
                buffers.reserve(count, places: places)
                let isMore = MemberBuffers<Float>.padded(count) > most.count || places > most.places
                #expect(isMore || buffers(0) == before)
                most = (max(most.count, MemberBuffers<Float>.padded(count)), max(most.places, places))
                #expect(buffers.count == most.count * most.places)
                for place in 0..<most.places {
                    #expect(Int(bitPattern: buffers(place)) % 64 == 0)
                    #expect(buffers(place) - buffers(0) == place * most.count)
                }
            }
        }
        #expect([0, 1, 16, 17].map { MemberBuffers<Float>.padded($0) } == [0, 16, 16, 32])
    }
}
