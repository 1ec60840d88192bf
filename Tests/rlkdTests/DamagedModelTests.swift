import Foundation
import Models
import Testing

/// Files of a model that are damaged, or ask for too much, are named by every command.
@Suite struct DamagedModelTests {
    /// A model's files that are damaged are named with their line, or with the field.
    @Test(arguments: [
        ("config.json", "{\n  \"hidden_size\": 32,\n  oops\n}", "line 3"),
        ("generation_config.json", "{\n  \"do_sample\": true\n", "line "),
        ("generation_config.json", "[]", "expected an object"),
        ("generation_config.json", "{\"do_sample\": \"yes\"}", "do_sample: expected true or false"),
        ("generation_config.json", "{\"do_sample\": true, \"top_p\": 2}", "top_p: is 2.0: it must be above 0"),
        (
            "generation_config.json", "{\"temperature\": 1e39}",
            "temperature: is 1e+39: that is beyond what 32-bit floats"
        ),
        ("generation_config.json", "{\"temperature\": 1e-60}", "temperature: is 1e-60: that is beyond"),
    ])
    func damagedFilesOfAModelAreNamed(file: String, text: String, says: String) throws {
        let model = try ModelFixture()
        _ = try model.folder.write(text, to: file)
        let outcome = try CommandLineProcess.run(["generate", "--model", model.path])
        #expect(outcome.status == 65, "\(outcome.diagnostics)")
        #expect(outcome.diagnostics.hasPrefix("rlkd: \(model.path)/\(file): "), "\(outcome.diagnostics)")
        #expect(outcome.diagnostics.contains(says), "\(outcome.diagnostics)")
        #expect(outcome.diagnostics.split(separator: "\n").count == 1)
    }

    static let hugeFields = [
        "hidden_size", "intermediate_size", "vocab_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "head_dim",
    ]

    /// A config.json that asks for too much, or for nonsense, is named before any weight is read, by every command.
    @Test(
        arguments: hugeFields,
        [
            "generate --model MODEL", "logprobs --model MODEL --tokens ROWS",
            "eval --model MODEL --task gsm8k task.test=ROWS",
            "bench rollout --model MODEL --batch 1 --prompt 2 --new 2 --threads 1",
            "bench learner --model MODEL --batch 1 --prompt 2 --length 2 --threads 1",
            "train --dry-run task.kind=gsm8k student.model=MODEL task.training=ROWS",
        ])
    func hugeFieldsOfAModelAreRefused(field: String, command: String) throws {
        let model = try ModelFixture()
        let rows = try model.folder.write("{\"id\": 1, \"tokens\": [0, 1]}", to: "rows.jsonl")
        let file = model.folder.url.appending(path: "config.json")
        let whole = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        // Even, below the largest 32-bit number, and no machine has so much; then beyond it, below zero, and zero.
        for value in command.hasPrefix("generate") ? [2_147_483_640, 1_000_000_000_000, .max, -1, 0] : [2_147_483_640] {
            var configuration = try #require(whole as? [String: Any])
            configuration[field] = value
            if field == "num_key_value_heads" { configuration["num_attention_heads"] = value }
            try JSONSerialization.data(withJSONObject: configuration).write(to: file)
            let outcome = try CommandLineProcess.run(
                CommandLineProcess.words(command.replacing("MODEL", with: model.path).replacing("ROWS", with: rows)))
            #expect(outcome.status == 65, "\(value): \(outcome.diagnostics)")
            #expect(outcome.diagnostics.contains("config.json: "), "\(outcome.diagnostics)")
            #expect(outcome.diagnostics.split(separator: "\n").count == 1)
        }
    }

    static let modelCommands = [
        "generate --model MODEL --prompts ROWS --max-new-tokens 4", "logprobs --model MODEL --tokens ROWS",
        "bench rollout --model MODEL --batch 2 --prompt 4 --new 4 --threads 1",
        "bench learner --model MODEL --batch 2 --prompt 4 --length 8 --threads 1",
        "bench pipeline --model MODEL --batch 1 --samples 2 --prompt 4 --new 4 --updates 1 --threads 1",
    ]

    enum Absurdity: CaseIterable {
        /// One weight is not a number.
        case notANumber
        /// Products overflow.
        case products
        /// Sums of squares overflow, which a norm alone would turn into zeros, and those into a uniform distribution.
        case squares
    }

    /// Weights that are not numbers, and weights of which the arithmetic makes none, are the model's fault wherever they show.
    @Test(arguments: modelCommands, Absurdity.allCases)
    func absurdWeightsAreNamed(command: String, absurdity: Absurdity) throws {
        let model = try ModelFixture()
        let rows = try model.folder.write("{\"id\": 1, \"tokens\": [0, 1, 2]}", to: "rows.jsonl")
        let (configuration, parameters) = try HuggingFaceDirectory.load(model.folder.url)
        let name = "model.layers.1.mlp.up_proj.weight"
        for entry in try ParameterLayout(configuration).entries {
            let weights = entry.offset..<entry.offset + entry.count
            switch absurdity {
            case .notANumber: if entry.name == name { parameters.pointer[entry.offset] = .nan }
            case .products:
                if entry.name.contains("proj") { for index in weights { parameters.pointer[index] *= 1e30 } }
            case .squares:
                if entry.name.contains("embed") { for index in weights { parameters.pointer[index] *= 1e25 } }
            }
        }
        try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: model.folder.url)
        let outcome = try CommandLineProcess.run(
            CommandLineProcess.words(command.replacing("MODEL", with: model.path).replacing("ROWS", with: rows)))
        #expect(outcome.status == 65, "\(outcome.diagnostics)")
        #expect(outcome.output.isEmpty)
        let says =
            absurdity == .notANumber
            ? ["rlkd: \(model.path)/model.safetensors: \(name): holds a value that is infinite or not a number"]
            : ["rlkd: \(model.path): ", "are the weights whole"]
        #expect(says.allSatisfy(outcome.diagnostics.contains), "\(outcome.diagnostics)")
        #expect(outcome.diagnostics.split(separator: "\n").count == 1)
    }

    /// A context that no memory would hold costs nothing where it is not used.
    @Test(arguments: [(2_147_483_640, Int32(0)), (-1, 65), (0, 65)])
    func aContextIsTakenAsFarAsItIsUsed(positions: Int, status: Int32) throws {
        let model = try ModelFixture()
        let rows = try model.folder.write("{\"id\": 1, \"tokens\": [0, 1]}", to: "rows.jsonl")
        let file = model.folder.url.appending(path: "config.json")
        var configuration = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        configuration["max_position_embeddings"] = positions
        try JSONSerialization.data(withJSONObject: configuration).write(to: file)
        for command in [
            "generate --model MODEL --prompts ROWS --max-new-tokens 2", "logprobs --model MODEL --tokens ROWS",
            "bench rollout --model MODEL --batch 1 --prompt 2 --new 2 --threads 1",
        ] {
            let outcome = try CommandLineProcess.run(
                CommandLineProcess.words(command.replacing("MODEL", with: model.path).replacing("ROWS", with: rows)))
            #expect(outcome.status == status, "\(command): \(outcome.diagnostics)")
        }
    }
}
