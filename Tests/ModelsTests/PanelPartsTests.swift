import Testing

@testable import Models

/// How a team takes a product's panels.
@Suite struct PanelPartsTests {
    private static let panelCounts = [1, 2, 3, 7, 16, 28, 31, 36, 304, 4748]
    private static let placeCounts = [1, 2, 3, 4, 8, 16, 64]

    @Test(arguments: panelCounts, placeCounts)
    func everyPanelIsInOnePart(panels: Int, places: Int) {
        for rows in [1, 16, 32, 264] {
            let parts = PanelParts(panels: panels, places: places, rows: rows)
            var next = 0
            for index in 0..<parts.count {
                #expect(parts[index].lowerBound == next)
                #expect(!parts[index].isEmpty)
                next = parts[index].upperBound
            }
            #expect(next == panels)
        }
    }

    @Test(arguments: panelCounts)
    func aSingleMemberTakesAllAtOnce(panels: Int) {
        for rows in [1, 32] {
            #expect(PanelParts(panels: panels, places: 1, rows: rows).count == 1)
        }
    }

    /// Many rows take single panels, few of them pairs, as long as there are some for all.
    @Test func partsAreThese() {
        func sizes(_ panels: Int, rows: Int) -> [Int] {
            let parts = PanelParts(panels: panels, places: 2, rows: rows)
            return (0..<parts.count).map { parts[$0].count }
        }
        #expect(sizes(28, rows: 24) == [7, 7, 3, 3, 2, 2, 1, 1, 1, 1])
        #expect(sizes(28, rows: 23) == [6, 6, 4, 4, 2, 2, 2, 2])
        #expect(sizes(29, rows: 23) == [6, 6, 4, 4, 2, 2, 2, 2, 1])
        #expect(sizes(15, rows: 1) == [3, 3, 2, 2, 1, 1, 1, 1, 1])
        #expect(sizes(3, rows: 24) == [1, 1, 1])
    }

    @Test(arguments: panelCounts, placeCounts)
    func partsOnlyGetSmaller(panels: Int, places: Int) {
        for rows in [8, 32] {
            let parts = PanelParts(panels: panels, places: places, rows: rows)
            for index in 0..<max(0, parts.count - 1) {
                #expect(parts[index].count >= parts[index + 1].count)
            }
        }
    }

    /// Whoever is free takes the next part; nobody then waits for longer than the smallest part takes.
    @Test(arguments: panelCounts, placeCounts)
    func membersOfOneSpeedEndTogether(panels: Int, places: Int) throws {
        for (rows, most) in [(32, 1), (8, 2)] {
            let parts = PanelParts(panels: panels, places: places, rows: rows)
            var loads = [Int](repeating: 0, count: places)
            for index in 0..<parts.count {
                let free = try #require(loads.indices.min { loads[$0] < loads[$1] })
                loads[free] += parts[index].count
            }
            #expect(try #require(loads.max()) - #require(loads.min()) <= most)
        }
    }

    /// A member that takes half as long again is waited for no longer than a panel takes it.
    @Test(arguments: [28, 304, 4748])
    func aSlowMemberIsWaitedForBriefly(panels: Int) {
        let parts = PanelParts(panels: panels, places: 2, rows: 32)
        let times = [1.0, 1.5]
        var ends = [0.0, 0.0]
        for index in 0..<parts.count {
            let free = ends[0] <= ends[1] ? 0 : 1
            ends[free] += Double(parts[index].count) * times[free]
        }
        #expect(abs(ends[0] - ends[1]) <= 1.5)
    }
}
