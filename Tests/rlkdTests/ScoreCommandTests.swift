import Foundation
import TestSupport
import Testing

@Suite struct ScoreCommandTests {
    private struct Scored: Decodable {
        var id: GeneratedRow.Identifier
        var reward: Double?
        var error: String?
    }

    private struct Report: Decodable {
        struct Model: Decodable {
            struct Separation: Decodable {
                var correctCount: Int
                var incorrectCount: Int
                var areaUnderCurve: Double?
            }

            var model: String?
            var report: Separation
        }

        var models: [Model]
    }

    @Test func scoresRowsInOrderAndReportsSeparation() throws {
        let folder = try TemporaryFolder()
        let teacher = "She has 3 + 4 = 7 apples.\\nShe sells them for 7 * 2 = 14 dollars."
        let input = try folder.write(
            """
            {"id": "same", "teacher": "\(teacher)", "student": "\(teacher)", "correct": true, "model": "m"}
            {"id": 2, "teacher": "\(teacher)", "student": "She has 3 + 4 = 8 apples.", "correct": false, "model": "m"}
            {"id": 3, "teacher": "\(teacher)", "student": ""}
            """, to: "rows.jsonl")
        let reportFile = folder.url.appending(path: "report.json")
        let outcome = try CommandLineProcess.run(["score", "--input", input, "--report", reportFile.path])
        #expect(outcome.status == 0)
        let rows = try outcome.rows(Scored.self)
        try #require(rows.map(\.id) == [.text("same"), .number(2), .number(3)])
        #expect(rows[0].reward == 1)
        #expect((rows[1].reward ?? 1) < 1)
        #expect(rows[2].reward == nil && rows[2].error != nil)
        #expect(rows[0].error == nil)
        #expect(outcome.text.contains("\"error\":null"))
        let report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: reportFile))
        #expect(report.models.map(\.model) == ["m"])
        #expect(report.models.first?.report.areaUnderCurve == 1)
        #expect(outcome.diagnostics.contains("AUC"))
    }

    @Test(arguments: ["score", "decompose"]) func threadsLeaveNoTrace(command: String) throws {
        let folder = try TemporaryFolder()
        let rows = (0..<200).map { index in
            let path = "\(index) + 4 = \(index + 4)\\n\(index % 7) * 2 = \(index % 7 * 2)"
            return "{\"id\": \(index), \"text\": \"\(path)\", \"teacher\": \"3 + 4 = 7\", \"student\": \"\(path)\"}"
        }
        let input = try folder.write(rows.joined(separator: "\n"), to: "rows.jsonl")
        let outcomes = try ["1", "2", "7"].map {
            try CommandLineProcess.run([command, "--input", input, "--threads", $0])
        }
        #expect(outcomes.map(\.status) == [0, 0, 0])
        #expect(outcomes[0].text.split(separator: "\n").count == 200)
        #expect(outcomes[1].output == outcomes[0].output)
        #expect(outcomes[2].output == outcomes[0].output)
    }

    @Test func decomposesRowsInOrder() throws {
        struct Row: Decodable {
            struct Structure: Decodable {
                struct Step: Decodable {
                    var answer: String
                }

                var steps: [Step]
            }

            var id: GeneratedRow.Identifier
            var structure: Structure?
            var error: String?
        }
        let folder = try TemporaryFolder()
        let input = try folder.write(
            "{\"id\": 1, \"text\": \"3 + 4 = 7\\n7 * 2 = 14\"}\n{\"id\": \"b\", \"text\": \"\"}", to: "rows.jsonl")
        let rows = try CommandLineProcess.run(["decompose", "--input", input]).rows(Row.self)
        try #require(rows.map(\.id) == [.number(1), .text("b")])
        #expect(rows[0].structure?.steps.map(\.answer) == ["7", "14"])
        #expect(rows[0].error == nil)
        #expect(rows[1].structure == nil && rows[1].error != nil)
    }

    @Test(.enabled(if: SharedData.isPresent, "the development data is not beside the project"))
    func scoresPublishedSolutions() throws {
        let folder = try TemporaryFolder()
        let reportFile = folder.url.appending(path: "report.json")
        let outcome = try CommandLineProcess.run([
            "score", "--teacher", SharedData.path("gsm8k/test_socratic.first660.jsonl"), "--students",
            SharedData.path("gsm8k/example_model_solutions.first660.jsonl"), "--report", reportFile.path,
        ])
        #expect(outcome.status == 0)
        #expect(try outcome.rows(Scored.self).count == 2640)
        let report = try JSONDecoder().decode(Report.self, from: Data(contentsOf: reportFile))
        #expect(report.models.count == 4)
        for model in report.models {
            #expect(model.report.correctCount + model.report.incorrectCount == 660)
            #expect((model.report.areaUnderCurve ?? 0) > 0.75)
        }
    }
}
