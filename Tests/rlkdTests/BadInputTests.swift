import Foundation
import Testing

/// What a user can get wrong: one line that says what, and the exit status.
@Suite struct BadInputTests {
    struct Case: CustomTestStringConvertible {
        /// `MODEL` and `ROWS` stand for the model's folder and the file of `rows`.
        var command: String
        var rows = ""
        var input = ""
        var status: Int32 = 65
        var says: [String]

        var testDescription: String { "\(command) \(rows.debugDescription)" }
    }

    static let cases = generation + scoring + runs

    @Test(arguments: cases) func isNamed(_ wrong: Case) throws {
        let model = try ModelFixture()
        let rows = try model.folder.write(wrong.rows, to: "rows.jsonl")
        func fill(_ text: String) -> String {
            text.replacing("MODEL", with: model.path).replacing("ROWS", with: rows)
        }
        let outcome = try CommandLineProcess.run(
            CommandLineProcess.words(wrong.command).map(fill), input: wrong.input)
        #expect(outcome.status == wrong.status, "\(outcome.diagnostics)")
        #expect(outcome.output.isEmpty)
        for part in wrong.says {
            #expect(outcome.diagnostics.contains(fill(part)), "“\(fill(part))” in: \(outcome.diagnostics)")
        }
        if wrong.status == 65 {
            #expect(outcome.diagnostics.hasPrefix("rlkd: "))
            #expect(outcome.diagnostics.split(separator: "\n").count == 1)
        }
    }

    @Test(arguments: [
        "info", "generate --model x", "logprobs --model x --tokens x", "tokenize --tokenizer x", "decompose --input x",
        "score --input x", "eval --model x", "bench kernels", "train --dry-run",
    ])
    func unknownKernelVariantIsRefused(command: String) throws {
        let outcome = try CommandLineProcess.run(
            CommandLineProcess.words(command), environment: ["RLKD_ISA": "abacus"])
        #expect(outcome.status == 65)
        #expect(outcome.diagnostics.contains("RLKD_ISA") && outcome.diagnostics.contains("abacus"))
        #expect(outcome.diagnostics.split(separator: "\n").count == 1)
    }
}
