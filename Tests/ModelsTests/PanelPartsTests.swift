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

    @Test(arguments: panelCounts, placeCounts)
    func partsOnlyGetSmaller(panels: Int, places: Int) {
        let parts = PanelParts(panels: panels, places: places, rows: 32)
        for index in 0..<max(0, parts.count - 1) {
            #expect(parts[index].count >= parts[index + 1].count)
        }
    }

    /// Where there are enough, only the last of an odd number stands alone.
    @Test(arguments: panelCounts, placeCounts)
    func fewRowsFindPanelsInTwos(panels: Int, places: Int) {
        let parts = PanelParts(panels: panels, places: places, rows: 8)
        let cuts = (0..<parts.count).dropLast().map { parts[$0].upperBound }
        #expect(cuts.allSatisfy { $0 % 2 == 0 } || panels < 8 * places)
    }

    /// Whoever is free takes the next part; nobody then waits for longer than a part of a single panel takes.
    @Test(arguments: panelCounts, placeCounts)
    func membersOfOneSpeedEndTogether(panels: Int, places: Int) throws {
        let parts = PanelParts(panels: panels, places: places, rows: 32)
        var loads = [Int](repeating: 0, count: places)
        for index in 0..<parts.count {
            let free = try #require(loads.indices.min { loads[$0] < loads[$1] })
            loads[free] += parts[index].count
        }
        #expect(try #require(loads.max()) - #require(loads.min()) <= 1)
    }

    /// A member that is slower by a third is waited for no longer than it takes for a tenth of its panels, or for one.
    @Test(arguments: [28, 304, 4748])
    func aSlowMemberIsWaitedForBriefly(panels: Int) {
        let parts = PanelParts(panels: panels, places: 2, rows: 32)
        let speeds = [1.0, 1.5]
        var ends = [0.0, 0.0]
        for index in 0..<parts.count {
            let free = ends[0] <= ends[1] ? 0 : 1
            ends[free] += Double(parts[index].count) * speeds[free]
        }
        #expect(abs(ends[0] - ends[1]) <= max(1.5, 0.1 * ends[1]))
    }
}
