import Foundation
import Testing

/// `generate` and `logprobs` on a model of random weights.
@Suite struct GenerateCommandTests {
    private let model: ModelFixture
    private let prompts: String

    init() throws {
        model = try ModelFixture()
        let rows = (0..<12).map { index in
            index % 3 == 0
                ? "{\"id\": \(index), \"tokens\": [0, \(4 + index), 5]}"
                : "{\"id\": \"row \(index)\", \"prompt\": \" one plus two is\(String(repeating: "ab", count: index))\"}"
        }
        prompts = try model.folder.write(rows.joined(separator: "\n"), to: "prompts.jsonl")
    }

    private func generate(_ arguments: String...) throws -> CommandLineProcess.Outcome {
        try CommandLineProcess.run(["generate", "--model", model.path] + arguments)
    }

    @Test func batchesAndThreadsLeaveNoTrace() throws {
        let outcomes = try [(1, 1), (3, 2), (32, 3)].map { batch, threads in
            try generate(
                "--prompts", prompts, "--temperature", "0.9", "--top-k", "9", "--top-p", "0.95", "--samples", "3",
                "--max-new-tokens", "20", "--seed", "5", "--batch", "\(batch)", "--threads", "\(threads)")
        }
        #expect(outcomes.map(\.status) == [0, 0, 0])
        #expect(outcomes[0].output == outcomes[1].output)
        #expect(outcomes[0].output == outcomes[2].output)
        let rows = try outcomes[0].rows(GeneratedRow.self)
        try #require(rows.count == 36)
        #expect(rows.map(\.sample) == (0..<36).map { $0 % 3 })
        #expect(rows[0].id == .number(0))
        #expect(rows[3].id == .text("row 1"))
        #expect(Set(rows.prefix(3).map(\.tokens)).count > 1)
    }

    @Test(arguments: ["0", "0.3", "1", "1.7"])
    func logProbabilitiesAreThoseRecorded(temperature: String) throws {
        let generated = try generate(
            "--prompts", prompts, "--temperature", temperature, "--max-new-tokens", "25", "--batch", "5", "--threads",
            "2"
        ).rows(GeneratedRow.self)
        let prompted = try promptTokens()
        try #require(generated.count == prompted.count)
        let rows = zip(prompted, generated).enumerated().map { index, pair in
            "{\"id\": \(index), \"tokens\": \(pair.0 + pair.1.tokens)}"
        }
        let file = try model.folder.write(rows.joined(separator: "\n"), to: "tokens-\(temperature).jsonl")
        let outcome = try CommandLineProcess.run(
            ["logprobs", "--model", model.path, "--tokens", file, "--temperature", temperature, "--threads", "2"])
        #expect(outcome.status == 0)
        let scored = try outcome.rows(LogProbabilitiesRow.self)
        try #require(scored.count == generated.count)
        for (index, (row, recorded)) in zip(scored, generated).enumerated() {
            #expect(row.id == .number(index))
            #expect(row.logprobs.count == prompted[index].count + recorded.tokens.count - 1)
            #expect(
                row.logprobs.suffix(recorded.tokens.count).map(\.bitPattern) == recorded.logprobs.map(\.bitPattern))
        }
    }

    /// The prompts' ids, from the command itself.
    private func promptTokens() throws -> [[Int32]] {
        struct Row: Decodable {
            var prompt: String?
            var tokens: [Int32]?
        }
        return try String(contentsOfFile: prompts, encoding: .utf8).split(separator: "\n").map { line in
            let row = try JSONDecoder().decode(Row.self, from: Data(line.utf8))
            if let tokens = row.tokens { return tokens }
            let outcome = try CommandLineProcess.run(
                ["tokenize", "--tokenizer", model.path, "--special"], input: row.prompt ?? "")
            return try JSONDecoder().decode([Int32].self, from: outcome.output)
        }
    }

    @Test func startsFromTheBeginningWithoutPrompts() throws {
        let alone = try generate("--temperature", "0", "--max-new-tokens", "9").rows(GeneratedRow.self)
        let file = try model.folder.write(
            "{\"id\": 0, \"tokens\": [0]}\n{\"id\": 1, \"prompt\": \"\"}", to: "bos.jsonl")
        let given = try generate("--prompts", file, "--temperature", "0", "--max-new-tokens", "9").rows(
            GeneratedRow.self)
        try #require(alone.count == 1 && given.count == 2)
        #expect(alone == [given[0]])
        #expect(given[0].tokens == given[1].tokens)
        #expect(alone[0].sample == nil)
    }

    @Test func sampledEndTokenIsPartOfTheOutput() throws {
        let rows = try generate("--samples", "60", "--temperature", "2.5", "--max-new-tokens", "40").rows(
            GeneratedRow.self)
        let stopped = rows.filter { $0.finishReason == "stop" }
        #expect(!stopped.isEmpty)
        for row in rows {
            #expect(row.tokens.dropLast().contains(1) == false)
            #expect((row.tokens.last == 1) == (row.finishReason == "stop"))
            #expect(row.finishReason == "stop" || row.tokens.count == 40)
            #expect(row.text?.contains("</s>") == false)
        }
    }

    @Test func defaultLengthIsWhatTheContextHasRoomFor() throws {
        let row = try #require(try generate("--temperature", "0").rows(GeneratedRow.self).first)
        #expect(row.finishReason == "stop" || row.tokens.count == ModelFixture.context - 1)
    }

    @Test func textAndIdsAreInverse() throws {
        let text = " one plus two isabcd"
        let ids = try CommandLineProcess.run(["tokenize", "--tokenizer", model.path], input: text)
        #expect(try JSONDecoder().decode([Int32].self, from: ids.output).contains(0) == false)
        let back = try CommandLineProcess.run(["tokenize", "--tokenizer", model.path, "--decode"], input: ids.text)
        #expect(back.text == text)
        let special = try CommandLineProcess.run(["tokenize", "--tokenizer", model.path, "--special"], input: text)
        let kept = try CommandLineProcess.run(
            ["tokenize", "--tokenizer", model.path, "--decode", "--special"], input: special.text)
        #expect(kept.text == "<s>" + text)
    }

    /// The reader leaves after a byte; the work left over, which would take minutes, is not done.
    @Test(arguments: [
        "generate --model MODEL --prompts ROWS --samples 20 --max-new-tokens 40",
        "logprobs --model MODEL --tokens ROWS",
        "score --input ROWS", "decompose --input ROWS",
    ])
    func closedOutputEndsQuietly(command: String) throws {
        let tokens = Array(repeating: "4", count: 20).joined(separator: ",")
        let path = "3 + 4 = 7\\n7 * 2 = 14"
        let rows = (0..<60_000).map {
            command.hasPrefix("generate") || command.hasPrefix("logprobs")
                ? "{\"id\": \($0), \"tokens\": [\(tokens)]}"
                : "{\"id\": \($0), \"text\": \"\(path)\", \"teacher\": \"\(path)\", \"student\": \"\(path)\"}"
        }
        let file = try model.folder.write(rows.joined(separator: "\n"), to: "paths.jsonl")
        let line = command.replacing("MODEL", with: model.path).replacing("ROWS", with: file)
        let script = "{ \"$0\" \(line) --threads 2; echo status $? >&2; } | head -c 1 > /dev/null"
        let outcome = try CommandLineProcess.run(
            URL(fileURLWithPath: "/bin/sh"), ["-c", script, CommandLineProcess.executable.path])
        #expect(outcome.diagnostics == "status 0\n")
    }
}
