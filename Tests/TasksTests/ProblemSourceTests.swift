import Foundation
import TestSupport
import Testing
import Trajectories

@testable import Tasks

@Suite struct ProblemSourceTests {
    /// Writes the text to a file of its own and removes it afterwards.
    private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("rows.jsonl")
        try Data(text.utf8).write(to: file)
        return try body(file.path)
    }

    private func error(_ text: String, _ read: (String) throws -> [Problem]) throws -> MalformedInput? {
        try withFile(text) { path in
            do {
                _ = try read(path)
                return nil
            } catch let error as MalformedInput {
                #expect(error.file == path)
                return error
            }
        }
    }

    @Test func readsGSM8KRows() throws {
        let text = """
            \u{feff}{"question": "Q1?", "answer": "He has 48/2 = <<48/2=24>>24 clips.\\nSo 24 + 1,000 = 1,024.\\n#### 1,024"}\r

            {"question": "Q2?", "answer": "How many? ** It is $<<0.5*4=2>>2 each.\\n#### 2"}
            """
        let problems = try withFile(text) { try GSM8K.read(path: $0, reader: LabelReader()) }
        #expect(problems.map(\.id) == ["gsm8k-rows-1", "gsm8k-rows-3"])
        #expect(problems.map(\.answer) == ["1024", "2"])
        #expect(
            problems[0].traces == [TeacherTrace(text: "He has 48/2 = 24 clips.\nSo 24 + 1,000 = 1,024.\n#### 1024")])
        #expect(
            problems[1].traces == [
                TeacherTrace(
                    text: "It is $2 each.\n#### 2",
                    structure: Structure(steps: [
                        Step(metaReasoning: "How many?", subProblem: "", answer: "")
                    ]))
            ])
    }

    @Test(
        arguments: [
            ("", nil, nil), ("\n \n", nil, nil), ("{\"question\": \"q\"}", 1, "answer"),
            ("\n{\"question\": \"q\", \"answer\": null}", 2, "answer"),
            ("{\"question\": \" \", \"answer\": \"a\"}", 1, "question"),
            ("{\"question\": \"q\", \"answer\": \"no end\"}", 1, "answer"),
            ("{\"question\": \"q\", \"answer\": \"#### 3\"}", 1, "answer"), ("[1]", 1, nil), ("{\"question\":", 1, nil),
            ("{\"question\": \"q\", \"answer\": \"a\\n#### 1\"}\n{\"question\": [], \"answer\": 1}", 2, "question"),
        ] as [(String, Int?, String?)])
    func namesWhatIsWrong(text: String, line: Int?, field: String?) throws {
        let error = try #require(try error(text) { try GSM8K.read(path: $0, reader: LabelReader()) })
        #expect(error.line == line)
        #expect(error.field == field)
        #expect(!error.description.contains("\n"))
    }

    @Test func namesAMissingFile() {
        #expect {
            try GSM8K.read(path: "/nowhere/train.jsonl", reader: LabelReader())
        } throws: { error in
            "\(error)".hasPrefix("/nowhere/train.jsonl: cannot be read")
        }
    }

    @Test func readsRowsByFieldNames() throws {
        let text = """
            {"problem": "P1", "answer": 0.5, "generations": ["first \\\\boxed{0.5}", "", "second"], "uuid": 7}
            {"problem": "P2", "answer": null, "generations": "one", "uuid": "b"}
            """
        var fields = ProblemFields(question: "problem", answer: "answer", trace: "generations")
        let problems = try withFile(text) { try JSONLinesProblems.read(path: $0, fields: fields) }
        #expect(problems.map(\.question) == ["P1", "P2"])
        #expect(problems.map(\.answer) == ["0.5", nil])
        #expect(problems.map { $0.traces.map(\.text) } == [["first \\boxed{0.5}", "second"], ["one"]])
        #expect(problems.map(\.id) == ["rows-1", "rows-2"])
        fields.id = "uuid"
        #expect(try withFile(text) { try JSONLinesProblems.read(path: $0, fields: fields) }.map(\.id) == ["7", "b"])

        fields.trace = "solution"
        #expect(try error(text) { try JSONLinesProblems.read(path: $0, fields: fields) }?.field == "solution")
        fields.trace = nil
        #expect(try error(text) { try JSONLinesProblems.read(path: $0, fields: fields) }?.line == 2)
        let twice = "{\"question\": \"q\", \"answer\": \"1\", \"id\": \"x\"}\n"
        let named = ProblemFields(id: "id")
        let duplicate = try error(twice + twice) { try JSONLinesProblems.read(path: $0, fields: named) }
        #expect(duplicate?.line == 2 && duplicate?.field == "id")
        let wrong = "{\"question\": \"q\", \"answer\": \"1\", \"trace\": [1.5, true]}"
        #expect(
            try error(wrong) { try JSONLinesProblems.read(path: $0, fields: ProblemFields(trace: "trace")) }?.field
                == "trace")
    }

    @Test func anyBytesAreHandled() {
        var generator = SplitMixGenerator(seed: 41)
        let valid = Array("{\"question\": \"q\\u00e9\", \"answer\": \"1+1=<<1+1=2>>2\\n#### 2\"}\n".utf8)
        for _ in 0..<2_000 {
            var bytes = valid + valid
            for _ in 0..<1 + generator.index(below: 4) {
                bytes[generator.index(below: bytes.count)] = UInt8(truncatingIfNeeded: generator.next())
            }
            // Refused with a reason, or read.
            let problems = Result { () throws(MalformedInput) in
                try GSM8K.problems(in: JSONLinesFile(Data(bytes), path: "rows.jsonl"), reader: LabelReader())
            }
            #expect((try? problems.get())?.isEmpty != true)
        }
    }

    @Test(arguments: [
        ("a <<1+1=2>>2 and <<2*2=4>>4.", "a 2 and 4."), ("open <<1+1", "open <<1+1"), ("", ""),
        ("a >> b <<1+1=2>>2 << c", "a >> b 2 << c"), ("$<<5-8=-3>>-3 left", "$-3 left"),
    ])
    func calculatorMarksAreTakenOff(line: String, text: String) {
        #expect(GSM8KLine(line).text == text)
        #expect(GSM8KLine(line).subQuestion == nil)
        let labelled = GSM8KLine("What? ** " + line)
        #expect((labelled.subQuestion, labelled.text) == ("What?", text))
    }

    @Test(.enabled(if: SharedData.isPresent, "the shared data is absent"))
    func everyGSM8KRowIsUsable() throws {
        let file = try JSONLinesFile(path: SharedData.path("gsm8k/train.jsonl"))
        let problems = try GSM8K.problems(in: file, reader: LabelReader())
        #expect(problems.count == 7_473)
        #expect(problems.allSatisfy { !$0.traces[0].text.contains("<<") })
        #expect(Set(problems.map(\.key)).count == problems.count)

        let labelled = try GSM8K.read(
            path: SharedData.path("gsm8k/test_socratic.first660.jsonl"), reader: LabelReader())
        #expect(labelled.count == 660)
        let questions = labelled.compactMap { $0.traces[0].structure }.flatMap(\.steps).map(\.metaReasoning)
        #expect(labelled.allSatisfy { $0.traces[0].structure != nil })
        #expect(questions.allSatisfy { !$0.isEmpty })
    }
}

/// The questions of labelled lines, and nothing else of them.
struct LabelReader: StructureReader {
    func structure(of text: String) -> Structure {
        let questions = text.split(separator: "\n").compactMap { GSM8KLine(String($0)).subQuestion }
        return Structure(steps: questions.map { Step(metaReasoning: $0, subProblem: "", answer: "") })
    }
}
