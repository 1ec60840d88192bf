import Foundation
import Testing
import Trajectories

@testable import StructureRewards

/// GSM8K's published files, beside the project.
private enum SharedData {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared/data/gsm8k")
    static let teacher = folder.appendingPathComponent("test_socratic.first660.jsonl").path
    static let students = folder.appendingPathComponent("example_model_solutions.first660.jsonl").path
    static let plain = folder.appendingPathComponent("test.first660.jsonl").path
    static let paths = folder.appendingPathComponent("student_paths.Qwen2.5-3B-Instruct.first660.jsonl").path
    static let isPresent = FileManager.default.fileExists(atPath: students)
}

@Suite(.enabled(if: SharedData.isPresent, "../shared/data/gsm8k is absent")) struct GradeSchoolTests {
    private let command = ScoreCommandLogic(
        input: .modelSolutions(teacher: SharedData.teacher, students: SharedData.students))

    @Test func joinsAllPairs() throws {
        let rows = try command.rows()
        #expect(rows.count == 2640)
        #expect(Set(rows.map(\.id)).count == 2640)
        #expect(rows[0].id == .text("0/6b_finetuning"))
        #expect(rows[3].correct == true && rows[0].correct == false)
    }

    /// Floors well below what was measured on the half that was not used for tuning (0.83 to 0.89).
    @Test func separatesCorrectFromIncorrect() async throws {
        let rows = try command.rows().enumerated().filter { $0.offset / 4 % 2 == 1 }.map(\.element)
        var count = 0
        let reports = try await command.score(rows) { row in
            #expect(row.error == nil)
            #expect(row.reward.map { (0...1).contains($0) } == true)
            #expect(row.steps.count == row.studentSteps)
            count += 1
        }
        #expect(count == 1320)
        #expect(reports.map(\.model) == ModelSolutionsFile.models)
        for (_, report) in reports { #expect(report.areaUnderCurve ?? 0 > 0.8) }
    }

    /// The reward looks at no verdict: with all verdicts turned round it stays the same.
    @Test func rewardIgnoresVerdicts() async throws {
        let scorer = RowScorer()
        for row in try command.rows().prefix(200) {
            var turned = row
            turned.correct = row.correct.map { !$0 }
            #expect(try await scorer.score(turned).reward == scorer.score(row).reward)
        }
    }

    @Test func teachersAgreeWithThemselves() async throws {
        for row in try SocraticFile(path: SharedData.plain).rows + SocraticFile(path: SharedData.teacher).rows {
            let scored = try await RowScorer().score(
                ScoreRow(id: .number(0), teacher: .text(row.answer), student: .text(row.answer)))
            #expect(scored.reward == 1)
        }
    }

    /// A line that computes is a step and its answer the value behind the calculator mark, found here by other means.
    @Test func answersAgreeWithCalculatorMarks() throws {
        var lines = 0
        var agreeing = 0
        for row in try SocraticFile(path: SharedData.plain).rows {
            for line in row.answer.split(separator: "\n") where line.components(separatedBy: "<<").count == 2 {
                guard let mark = line.components(separatedBy: ">>").first?.components(separatedBy: "=").last else {
                    continue
                }
                lines += 1
                let steps = try SolutionLineReader().structure(of: String(line)).steps
                if steps.count == 1, let answer = ExactNumber(exactly: steps[0].answer),
                    answer == ExactNumber(exactly: mark)
                {
                    agreeing += 1
                }
            }
        }
        #expect(lines > 2000)
        #expect(Double(agreeing) > 0.97 * Double(lines))
    }

    @Test func readsMarkdownPaths() async throws {
        struct Row: Decodable {
            var path: String
        }
        let rows = try JSONLines.read(Row.self, from: SharedData.paths).map(\.row)
        #expect(rows.count == 660)
        for row in rows { #expect(try !SolutionLineReader().structure(of: row.path).steps.isEmpty) }
    }
}
