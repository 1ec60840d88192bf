import Testing

@testable import Training

@Suite struct NearestNameTests {
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("same", "same", 0),
        ("ab", "ba", 2),
    ])
    func distanceIsLevenshteins(left: String, right: String, distance: Int) {
        #expect(NearestName.distance(left, right) == distance)
        #expect(NearestName.distance(right, left) == distance)
    }

    @Test func caseDoesNotCountAndTiesAreAlphabetical() {
        #expect(NearestName.nearest(to: "GROUPSIZE", among: ["clip", "groupSize"]) == "groupSize")
        #expect(NearestName.nearest(to: "b", among: ["c", "a"]) == "a")
        #expect(NearestName.nearest(to: "b", among: []) == nil)
    }
}
