import Testing

@testable import Models

@Suite struct PassPartsTests {
    @Test(arguments: [1, 2, 3, 8, 16, 64], [0, 1, 11, 12, 47, 48, 96, 100, 384, 385, 768, 5000])
    func partsFollowOneAnotherAndEndWhereTilesDo(threads: Int, count: Int) {
        let parts = PassParts(threads: threads)
        for number in [parts.rowParts(count), parts.gradientParts(count), parts.queryParts(count)] {
            var end = 0
            for index in 0..<number {
                let part = PassParts.range(index, of: number, over: count)
                #expect(part.lowerBound == end)
                #expect(part.upperBound % 12 == 0 || index == number - 1)
                end = part.upperBound
            }
            #expect(end == count)
        }
    }

    /// Two a thread of 48 rows or more, else one a thread of a tile or more, else as many as there are tiles.
    @Test func everyThreadHasRowsWhereThereAreEnough() {
        #expect([1, 2, 4, 8, 16, 64].map { PassParts(threads: $0).rowParts(384) } == [1, 4, 8, 8, 16, 32])
        #expect([1, 2, 4].map { PassParts(threads: $0).rowParts(20) } == [1, 1, 1])
        #expect([1, 2, 8, 64].map { PassParts(threads: $0).gradientParts(1024) } == [1, 4, 10, 42])
        #expect([1, 2, 8].map { PassParts(threads: $0).queryParts(192) } == [1, 6, 6])
        #expect(PassParts(threads: 0) == PassParts(threads: 1))
    }
}
