import Foundation
import Tasks
import Testing

@testable import rlkd

@Suite struct RowTests {
    private func read(_ text: String) throws -> [GenerateRow] {
        try JSONLinesFile(Data(text.utf8), path: "rows.jsonl").rows.map { try GenerateRow($0) }
    }

    @Test func readsIdentifiersAndPrompts() throws {
        let rows = try read(
            "\u{feff}{\"id\": 7, \"prompt\": \"ä\"}\r\n\n  \t\n{\"tokens\": [1, 2], \"id\": \"x\", \"more\": {}}")
        #expect(rows.map(\.id) == [.number(7), .text("x")])
        #expect(rows.map(\.prompt) == [.text("ä"), .tokens([1, 2])])
        #expect(rows.map(\.fields.line) == [1, 4])
    }

    @Test(
        arguments: [
            ("", nil, nil, "holds no row"),
            ("\n \n", nil, nil, "holds no row"),
            ("{\"id\": 1, \"prompt\": \"a\"}\n{\"id\": 2", 2, nil, "not JSON"),
            ("[1]", 1, nil, "not a JSON object"),
            ("{\"prompt\": \"a\"}", 1, "id", "is missing"),
            ("{\"id\": 1.5, \"prompt\": \"a\"}", 1, "id", "neither a string nor a whole number"),
            ("{\"id\": 1}", 1, "prompt", "is missing"),
            ("{\"id\": 1, \"prompt\": null}", 1, "prompt", "is missing"),
            ("{\"id\": 1, \"prompt\": 3}", 1, "prompt", "not a string"),
            ("{\"id\": 1, \"prompt\": \"a\", \"tokens\": [1]}", 1, "tokens", "one of them"),
            ("{\"id\": 1, \"tokens\": \"a\"}", 1, "tokens", "not a list"),
            ("{\"id\": 1, \"tokens\": [1, 2.5]}", 1, "tokens[1]", "not a token id"),
            ("{\"id\": 1, \"tokens\": [3000000000]}", 1, "tokens[0]", "not a token id"),
            ("{\"id\": 1, \"id\": 2, \"prompt\": \"a\"}", 1, nil, "twice"),
        ] as [(String, Int?, String?, String)])
    func namesWhatIsWrong(text: String, line: Int?, field: String?, problem: String) throws {
        let error = #expect(throws: MalformedInput.self) { try read(text) }
        #expect(error?.file == "rows.jsonl")
        #expect(error?.line == line)
        #expect(error?.field == field)
        #expect(error?.problem.contains(problem) == true, "\(error?.problem ?? "")")
    }
}
