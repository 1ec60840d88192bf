import Foundation
import Tasks
import Testing

/// Rows whose texts would take time that grows with the square of their length.
@Suite struct CombiningMarksTests {
    private func problem(_ value: String) -> MalformedInput? {
        do {
            _ = try JSONLinesFile(Data(#"{"id":1,"text":\#(value)}"#.utf8), path: "in.jsonl")
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: ["\u{301}", "\u{323}\u{301}", #"\u0323\u0301"#, "\u{f73}"])
    func refusesLongRuns(marks: String) {
        let text = "\"e" + String(repeating: marks, count: 257) + "\""
        for value in [text, "[0,\(text)]", "{\"steps\":[{\"answer\":\(text)}]}"] {
            let error = problem(value)
            #expect(error?.line == 1 && error?.field == "text")
            #expect(error?.problem == "has more than 256 combining marks in a row; take them out")
        }
    }

    @Test(arguments: ["e\u{301}", "한국어", "ṩ中", "👩‍👩‍👧"])
    func takesLongTextsOfShortRuns(part: String) {
        #expect(problem("\"" + String(repeating: part, count: 2000) + "\"") == nil)
        #expect(problem("\"e" + String(repeating: "\u{301}", count: 256) + "\"") == nil)
    }
}
