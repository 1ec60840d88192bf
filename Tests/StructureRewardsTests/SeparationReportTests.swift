import TestSupport
import Testing

@testable import StructureRewards

@Suite struct SeparationReportTests {
    @Test func areaAgreesWithAllPairs() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            let rows = (0..<Int.random(in: 2...40, using: &random)).map { _ in
                (reward: Double(Int.random(in: 0...5, using: &random)) / 5, isCorrect: Bool.random(using: &random))
            }
            let correct = rows.filter(\.isCorrect).map(\.reward)
            let incorrect = rows.filter { !$0.isCorrect }.map(\.reward)
            let report = SeparationReport(rows)
            #expect(report.correctCount == correct.count && report.incorrectCount == incorrect.count)
            guard !correct.isEmpty, !incorrect.isEmpty else {
                #expect(report.areaUnderCurve == nil)
                continue
            }
            var wins = 0.0
            for high in correct { for low in incorrect { wins += high > low ? 1 : high == low ? 0.5 : 0 } }
            let area = try #require(report.areaUnderCurve)
            #expect(abs(area - wins / Double(correct.count * incorrect.count)) < 1e-12)
            if let lower = report.lowerBound, let upper = report.upperBound {
                #expect(0 <= lower && lower <= area + 1e-12 && area <= upper + 1e-12 && upper <= 1)
            }
        }
    }

    /// Scores of the classic example: DeLong's variance by its definition over all pairs.
    @Test func intervalAgreesWithDefinition() throws {
        let correct = [0.9, 0.8, 0.8, 0.4, 0.3]
        let incorrect = [0.7, 0.4, 0.2, 0.1]
        func kernel(_ high: Double, _ low: Double) -> Double { high > low ? 1 : high == low ? 0.5 : 0 }
        let byCorrect = correct.map { high in incorrect.map { kernel(high, $0) }.reduce(0, +) / 4 }
        let byIncorrect = incorrect.map { low in correct.map { kernel($0, low) }.reduce(0, +) / 5 }
        let area = byCorrect.reduce(0, +) / 5
        let variance =
            byCorrect.map { ($0 - area) * ($0 - area) }.reduce(0, +) / 4 / 5
            + byIncorrect.map { ($0 - area) * ($0 - area) }.reduce(0, +) / 3 / 4
        let report = SeparationReport(correct.map { ($0, true) } + incorrect.map { ($0, false) })
        #expect(abs((report.areaUnderCurve ?? 0) - area) < 1e-12)
        #expect(abs((report.lowerBound ?? 0) - (area - 1.959964 * variance.squareRoot())) < 1e-6)
        #expect(report.upperBound == min(1, area + 1.959_963_984_540_054 * variance.squareRoot()))
    }

    @Test func perfectAndEmpty() {
        let perfect = SeparationReport([(1, true), (0.9, true), (0.1, false), (0, false)])
        #expect(perfect.areaUnderCurve == 1 && perfect.correctMean == 0.95)
        let empty = SeparationReport([])
        #expect(empty.areaUnderCurve == nil && empty.correctMean == nil && empty.lowerBound == nil)
    }
}
