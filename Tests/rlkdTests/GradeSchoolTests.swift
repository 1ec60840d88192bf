import Foundation
import StructureRewards
import Tasks
import TestSupport
import Testing
import Trajectories

@testable import rlkd

/// GSM8K's published files, beside the project.
@Suite(.enabled(if: SharedData.isPresent, "the development data is not beside the project")) struct GradeSchoolTests {
    private static let teacher = SharedData.path("gsm8k/test_socratic.first660.jsonl")
    private static let plain = SharedData.path("gsm8k/test.first660.jsonl")

    private func pairs() throws -> [ScoreRow] {
        try ModelSolutionsFile.scoreRows(
            students: SharedData.path("gsm8k/example_model_solutions.first660.jsonl"), teacher: Self.teacher)
    }

    private func answers(_ path: String) throws -> [String] {
        try JSONLinesFile(path: path).rows.map { try $0.requiredString("answer") }
    }

    @Test func joinsAllPairs() throws {
        let rows = try pairs()
        #expect(rows.count == 2640)
        #expect(Set(rows.map(\.id)).count == 2640)
        #expect(rows[0].id == .text("0/6b_finetuning"))
        #expect(rows[3].correct == true && rows[0].correct == false)
    }

    /// Floors well below what was measured on the half that was not used for tuning (0.83 to 0.89).
    @Test func separatesCorrectFromIncorrect() async throws {
        let rows = try pairs().enumerated().filter { $0.offset / 4 % 2 == 1 }.map(\.element)
        let scorer = ScoreOptions().makeRowScorer()
        var scored: [ScoredRow] = []
        for row in rows { scored.append(try await scorer.score(row)) }
        for row in scored {
            #expect(row.error == nil)
            #expect(row.reward.map { (0...1).contains($0) } == true)
            #expect(row.steps.count == row.studentSteps)
        }
        #expect(scored.count == 1320)
        let reports = SeparationReport.byModel(scored)
        #expect(reports.map(\.model) == ModelSolutionsFile.models)
        for (_, report) in reports { #expect(report.areaUnderCurve ?? 0 > 0.8) }
    }

    /// The reward looks at no verdict: with all verdicts turned round it stays the same.
    @Test func rewardIgnoresVerdicts() async throws {
        let scorer = RowScorer()
        for row in try pairs().prefix(200) {
            var turned = row
            turned.correct = row.correct.map { !$0 }
            #expect(try await scorer.score(turned).reward == scorer.score(row).reward)
        }
    }

    @Test func teachersAgreeWithThemselves() async throws {
        for answer in try answers(Self.plain) + answers(Self.teacher) {
            let scored = try await RowScorer().score(
                ScoreRow(id: .number(0), teacher: .text(answer), student: .text(answer)))
            #expect(scored.reward == 1)
        }
    }

    /// A line that computes is a step and its answer the value behind the calculator mark, found here by other means.
    @Test func answersAgreeWithCalculatorMarks() throws {
        var lines = 0
        var agreeing = 0
        for text in try answers(Self.plain) {
            for line in text.split(separator: "\n") where line.components(separatedBy: "<<").count == 2 {
                guard let mark = line.components(separatedBy: ">>").first?.components(separatedBy: "=").last else {
                    continue
                }
                lines += 1
                let steps = try SolutionLineReader().structure(of: String(line)).steps
                if steps.count == 1, AnswerVerifier.isEqual(steps[0].answer, mark) { agreeing += 1 }
            }
        }
        #expect(lines > 2000)
        #expect(Double(agreeing) > 0.97 * Double(lines))
    }

    /// A labelled solution and a student who writes it have equal steps.
    @Test func labelledTracesAreMatchedExactly() async throws {
        let reward = StructureReward(judge: ExactJudge())
        let solutions = try answers(Self.teacher)
        let problems = try GSM8K.read(path: Self.teacher, reader: SolutionLineReader())
        for (problem, solution) in zip(problems, solutions) {
            let trace = try #require(problem.traces.first)
            let teacher = try #require(trace.structure)
            let questions = solution.split(separator: "\n").compactMap { line in
                line.firstRange(of: " ** ").map { String(line[..<$0.lowerBound]) }
            }
            let path = zip(questions, trace.text.split(separator: "\n")).map { "\($0) ** \($1)" }
            let student = try SolutionLineReader().structure(of: path.joined(separator: "\n"))
            let score = try await reward.score(
                student: LooseStructure(student), teachers: [LooseStructure(teacher)])
            #expect(score?.value == 1, "\(path)")
        }
        #expect(problems.count == 660)
    }

    @Test func readsMarkdownPaths() async throws {
        let file = SharedData.path("gsm8k/student_paths.Qwen2.5-3B-Instruct.first660.jsonl")
        let paths = try JSONLinesFile(path: file).rows.map { try $0.requiredString("path") }
        #expect(paths.count == 660)
        for path in paths { #expect(try !SolutionLineReader().structure(of: path).steps.isEmpty) }
    }
}
