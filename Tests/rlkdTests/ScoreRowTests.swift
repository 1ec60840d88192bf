import Foundation
import StructureRewards
import Tasks
import Testing
import Trajectories

@testable import rlkd

@Suite struct ScoreRowTests {
    private func rows(_ text: String) throws -> [ScoreRow] {
        try JSONLinesFile(Data(text.utf8), path: "in.jsonl").rows.map { try ScoreRow($0) }
    }

    @Test func readsTextsAndStructures() throws {
        let structure = #"{"steps":[{"metaReasoning":"m","subProblem":"q","answer":"1"}]}"#
        let text =
            #"{"id":7,"teacher":\#(structure),"student":"1+1=2","correct":true}"# + "\n\n"
            + #"{"id":"b","teacher":"t","student":"s"}"#
        let found = try rows(text)
        #expect(found.map(\.id) == [.number(7), .text("b")])
        #expect(
            found[0].teacher == .structure(Structure(steps: [Step(metaReasoning: "m", subProblem: "q", answer: "1")])))
        #expect(found[0].correct == true && found[1].correct == nil)
    }

    @Test(arguments: [
        ("{}", 1, "id"), ("\n{\"id\":1,\"student\":\"s\"}", 2, "teacher"),
        ("{\"id\":1,\"teacher\":\"t\"}", 1, "student"),
        ("{\"id\":true,\"teacher\":\"t\",\"student\":\"s\"}", 1, "id"),
        (
            "{\"id\":1,\"teacher\":\"t\",\"student\":{\"steps\":[{\"metaReasoning\":\"m\"}]}}", 1,
            "student.steps[0].subProblem"
        ),
        ("{\"id\":1,\"teacher\":\"t\",\"student\":\"s\",\"correct\":\"yes\"}", 1, "correct"),
    ])
    func namesLineAndField(text: String, line: Int, field: String) {
        let error = #expect(throws: MalformedInput.self) { try rows(text) }
        #expect(error?.file == "in.jsonl")
        #expect(error?.line == line)
        #expect(error?.field == field)
    }

    @Test(arguments: ["{", "[1]", "3", "x\u{FEFF}", "{\"id\":1"])
    func namesLineOfBrokenJSON(text: String) {
        let error = #expect(throws: MalformedInput.self) { try rows("\n" + text) }
        #expect(error?.line == 2)
    }

    @Test func namesMissingFile() {
        let error = #expect(throws: MalformedInput.self) { try JSONLinesFile(path: "/nonexistent/rows.jsonl") }
        #expect(error?.description.contains("/nonexistent/rows.jsonl") == true)
    }

    @Test func unscorableRowFillsError() async throws {
        let scorer = RowScorer()
        let row = ScoreRow(id: .text("x"), teacher: .text("1 + 1 = 2"), student: .text("nothing"), correct: false)
        let scored = try await scorer.score(row)
        #expect(scored.reward == nil)
        #expect(scored.error == "student: line 1: no line states a result")
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(scored), as: UTF8.self)
        #expect(text.contains(#""id":"x""#) && text.contains(#""reward":null"#))
        let good = try await scorer.score(ScoreRow(id: .number(1), teacher: .text("1+1=2"), student: .text("1+1=2")))
        #expect(good.reward == 1)
        #expect(String(decoding: try encoder.encode(good), as: UTF8.self).contains(#""error":null"#))
    }

    @Test func referenceScoresUnparsableZero() async throws {
        let scorer = ScoreOptions(decomposer: .tagged, judge: .exact, compatibility: .reference).makeRowScorer()
        let row = ScoreRow(id: .number(1), teacher: .text("[sub-think 1] m"), student: .text("nothing"))
        let scored = try await scorer.score(row)
        #expect(scored.reward == 0)
        #expect(scored.error != nil)
    }

    @Test func decomposeRowFillsOneOfTwo() async throws {
        let rows = try JSONLinesFile(
            Data("{\"id\":1,\"text\":\"1+1=2\"}\n{\"id\":1,\"text\":\"[Answer 1] 2\"}".utf8), path: "in.jsonl"
        ).rows.map { try DecomposeRow($0) }
        let good = try await rows[0].decomposed(by: AutomaticDecomposer())
        #expect(good.structure?.steps.count == 1 && good.error == nil)
        let bad = try await rows[1].decomposed(by: AutomaticDecomposer())
        #expect(bad.structure == nil && bad.error?.contains("[Meta-reasoning 1] expected") == true)
    }

    @Test func reportsEachModel() {
        let rows = [
            ScoredRow(id: .number(1), reward: 1, correct: true, model: "b"),
            ScoredRow(id: .number(2), reward: nil, correct: false, model: "b", error: "unreadable"),
            ScoredRow(id: .number(3), reward: 1, correct: true, model: "a"),
            ScoredRow(id: .number(4), reward: 1, model: "c"),
        ]
        let reports = SeparationReport.byModel(rows)
        #expect(reports.map(\.model) == ["b", "a"])
        #expect(reports[0].report.areaUnderCurve == 1)
    }

    /// Whatever stands in a row, it is read or refused.
    @Test func noRowTraps() {
        let pieces = [
            "{", "}", "[", "]", ":", ",", "\"", "\\", "\"id\"", "\"teacher\"", "\"student\"", "\"steps\"",
            "\"correct\"",
            "null", "true", "1", "-", "1e9", "é", "\u{feff}", "\n", " ",
        ]
        var state: UInt64 = 5
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        for _ in 0..<2000 {
            let text = "{" + (0..<next(14)).map { _ in pieces[next(pieces.count)] }.joined() + "}"
            #expect((try? rows(text))?.isEmpty != true)
        }
    }
}
