import Files
import Foundation
import Generation
import Testing

@testable import rlkd

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

    // MARK: The model's own sampling

    private func text(_ generationConfiguration: String, _ arguments: String...) throws -> String {
        _ = try model.folder.write(generationConfiguration, to: "generation_config.json")
        let outcome = try CommandLineProcess.run(
            ["generate", "--model", model.path, "--prompts", prompts, "--max-new-tokens", "12"] + arguments)
        #expect(outcome.status == 0, "\(outcome.diagnostics)")
        return outcome.text
    }

    @Test func theModelsFileDecidesWhereNoOptionDoes() throws {
        let greedy = try text("{}", "--temperature", "0")
        #expect(try text("{}") == greedy)
        #expect(try text("{\"do_sample\": false, \"temperature\": 0.7}") == greedy)
        let sampled = try text("{}", "--temperature", "0.7", "--top-k", "5", "--top-p", "0.9")
        #expect(sampled != greedy)
        #expect(try text("{\"do_sample\": true, \"temperature\": 0.7, \"top_k\": 5, \"top_p\": 0.9}") == sampled)
        #expect(
            try text("{\"do_sample\": true, \"temperature\": 2, \"top_k\": 5, \"top_p\": 0.9}", "--temperature", "0.7")
                == sampled)
        #expect(try text("{\"do_sample\": true, \"top_k\": null}") == text("{}", "--temperature", "1"))
        #expect(try text("{\"do_sample\": true}", "--temperature", "0") == greedy)
    }

    /// `generate` of transformers 5 takes a top-k of 50 where sampling is asked for without one; 0 is all.
    @Test(arguments: [
        (#"{"do_sample": true}"#, SamplingParameters(temperature: 1, topK: 50, topP: 1), 50),
        (#"{"do_sample": true, "top_k": null, "top_p": 0.5}"#, SamplingParameters(topK: 50, topP: 0.5), 50),
        (#"{"do_sample": true, "top_k": 0}"#, SamplingParameters(temperature: 1), 0),
        (#"{"do_sample": true, "top_k": 7, "temperature": 2}"#, SamplingParameters(temperature: 2, topK: 7), 7),
        (#"{"top_k": 7}"#, .greedy, 7), ("{}", .greedy, 50), (#"{"do_sample": false}"#, .greedy, 50),
    ])
    func samplingIsThatOfTransformers(text: String, expected: SamplingParameters, topK: Int) throws {
        let data = Data(text.utf8)
        let file = JSONField(file: "", value: try data.withUnsafeBytes { try JSONValue(parsing: $0, file: "") })
        let defaults = try SamplingDefaults(file)
        #expect(defaults.applying(SamplingDefaults.Options()) == expected)
        // An option asks for sampling, and takes from the file what that gives.
        let warm = defaults.applying(SamplingDefaults.Options(temperature: 0.5))
        #expect(warm == SamplingParameters(temperature: 0.5, topK: topK, topP: expected.topP))
        #expect(defaults.applying(SamplingDefaults.Options(topK: 0)).topK == 0)
    }

    /// As for transformers: Qwen2.5's names one more than config.json does.
    @Test func aTokenOfTheModelsFileEndsACompletion() throws {
        let greedy = ["--temperature", "0", "--max-new-tokens", "9"]
        func rows() throws -> [GeneratedRow] {
            try CommandLineProcess.run(["generate", "--model", model.path] + greedy).rows(GeneratedRow.self)
        }
        let free = try #require(try rows().first)
        let last = try #require(free.tokens.dropFirst().first)
        let start = try #require(free.tokens.firstIndex(of: last))
        for end in ["\(last)", "[1, \(last)]"] {
            _ = try model.folder.write("{\"eos_token_id\": \(end)}", to: "generation_config.json")
            let stopped = try rows()
            #expect(stopped.map(\.tokens) == [Array(free.tokens[...start])])
            #expect(stopped.map(\.finishReason) == ["stop"])
        }
        for (end, field) in [("\"x\"", "eos_token_id"), ("[1, -1]", "eos_token_id[1]"), ("[1.5]", "eos_token_id[0]")] {
            _ = try model.folder.write("{\"eos_token_id\": \(end)}", to: "generation_config.json")
            let outcome = try generate("--max-new-tokens", "9")
            #expect(outcome.status == 65)
            #expect(outcome.diagnostics.contains("generation_config.json") && outcome.diagnostics.contains(field))
        }
    }

    @Test func whatTheModelsFileAsksForInVainIsNamed() throws {
        _ = try model.folder.write(
            "{\"repetition_penalty\": 1.05, \"min_p\": 0, \"typical_p\": 1.0, \"suppress_tokens\": [3], \"stop_strings\": []}",
            to: "generation_config.json")
        let outcome = try generate("--max-new-tokens", "2")
        #expect(outcome.status == 0)
        #expect(outcome.diagnostics.contains("generation_config.json: repetition_penalty is not applied"))
        #expect(outcome.diagnostics.contains("generation_config.json: suppress_tokens is not applied"))
        #expect(!outcome.diagnostics.contains("stop_strings"))
        #expect(!outcome.diagnostics.contains("min_p") && !outcome.diagnostics.contains("typical_p"))
    }

    @Test func adaptersAreNotTakenForTheirModel() throws {
        _ = try model.folder.write("{}", to: "adapter_config.json")
        let beside = try generate("--max-new-tokens", "2")
        #expect(beside.status == 0)
        #expect(beside.diagnostics.contains("adapter_config.json: is not applied"))
        try FileManager.default.removeItem(atPath: model.path + "/config.json")
        let alone = try generate("--max-new-tokens", "2")
        #expect(alone.status == 65)
        #expect(alone.diagnostics.hasPrefix("rlkd: \(model.path): holds adapters without their model"))
        let unnamed = try CommandLineProcess.run(["generate", "--model", ""])
        #expect(unnamed.status == 65)
        #expect(unnamed.diagnostics == "rlkd: \"\": names no directory of a model\n")
    }

    // MARK: Chat

    /// The template is one that lays out ids which are known.
    @Test func aConversationGoesThroughTheModelsTemplate() throws {
        let plain =
            "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}{{ ' is' if add_generation_prompt }}"
        let tools = "{{ bos_token }}{{ tools[0].name }}{% for m in messages %}{{ m.content }}{% endfor %}"
        let file = model.folder.url.appending(path: "tokenizer_config.json")
        let whole = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        var configuration = try #require(whole as? [String: Any])
        let rows = try model.folder.write(
            """
            {"id": 0, "messages": [{"role": "user", "content": " one plus"}, {"role": "user", "content": " two"}]}
            {"id": 1, "prompt": " two plus one"}
            {"id": 2, "messages": [{"role": "user", "content": " one"}], "tools": [{"name": "ab"}]}
            """, to: "chat.jsonl")
        let expected = [
            ["<s> one plus two is", "<s> two plus one is", "<s> one is"],
            ["<s> one plus two is", "<s> two plus one is", "<s>ab one"],
        ]
        let lists: [Any] = [
            plain, [["name": "tool_use", "template": tools], ["name": "default", "template": plain]],
        ]
        for (template, texts) in zip(lists, expected) {
            configuration["chat_template"] = template
            try JSONSerialization.data(withJSONObject: configuration).write(to: file)
            let chatted = try generate("--prompts", rows, "--chat", "--max-new-tokens", "9")
            #expect(chatted.status == 0, "\(chatted.diagnostics)")
            let given = try texts.enumerated().map { index, text in
                let ids = try CommandLineProcess.run(
                    ["tokenize", "--tokenizer", model.path, "--special"], input: String(text.dropFirst(3)))
                return "{\"id\": \(index), \"tokens\": \(ids.text.dropLast())}"
            }
            let file = try model.folder.write(given.joined(separator: "\n"), to: "given.jsonl")
            #expect(try chatted.text == generate("--prompts", file, "--max-new-tokens", "9").text)
        }
    }

    @Test func aRowTellsTheTemplateMore() throws {
        let file = model.folder.url.appending(path: "tokenizer_config.json")
        var configuration = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        configuration["chat_template"] =
            "{{ bos_token }}{{ messages[0].content }}{{ '' if enable_thinking is false else ' is' }}"
        try JSONSerialization.data(withJSONObject: configuration).write(to: file)
        func completions(_ rows: String) throws -> String {
            let rows = try model.folder.write(rows, to: "told.jsonl")
            let found = try generate("--prompts", rows, "--chat", "--max-new-tokens", "9")
            #expect(found.status == 0, "\(found.diagnostics)")
            return found.text
        }
        let messages = #""messages": [{"role": "user", "content": " one"}]"#
        let told = try completions(#"{"id": 0, \#(messages), "chat_template_kwargs": {"enable_thinking": false}}"#)
        let untold = try completions("{\"id\": 0, \(messages)}")
        #expect(told != untold)
        #expect(
            try completions(#"{"id": 0, \#(messages), "chat_template_kwargs": {"enable_thinking": true}}"#) == untold)
        let rows = try model.folder.write(#"{"id": 0, \#(messages), "chat_template_kwargs": [1]}"#, to: "told.jsonl")
        let refused = try generate("--prompts", rows, "--chat")
        #expect(refused.status == 65)
        #expect(refused.diagnostics.contains("“chat_template_kwargs”: is a list, not an object"))
    }

    @Test func specialTokensInPromptsAreFoundWhenAsked() throws {
        let rows = try model.folder.write(#"{"id": 0, "prompt": " one</s> two"}"#, to: "special.jsonl")
        let ids = try CommandLineProcess.run(
            ["tokenize", "--tokenizer", model.path, "--special"], input: " one</s> two")
        let given = try model.folder.write("{\"id\": 0, \"tokens\": \(ids.text.dropLast())}", to: "given.jsonl")
        let expected = try generate("--prompts", given, "--max-new-tokens", "9").text
        #expect(try generate("--prompts", rows, "--special", "--max-new-tokens", "9").text == expected)
        #expect(try generate("--prompts", rows, "--max-new-tokens", "9").text != expected)
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
