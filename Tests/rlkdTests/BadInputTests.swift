import Foundation
import Models
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

    static let cases: [Case] = [
        Case(command: "generate", status: 64, says: ["--model"]),
        Case(command: "generate --model MODEL --dtype f16", status: 64, says: ["f16"]),
        Case(
            command: "generate --model MODEL --chat --prompts ROWS", rows: "{\"id\": 1, \"prompt\": \"a\"}",
            says: ["tokenizer_config.json: chat_template: is missing", "--chat"]),
        Case(command: "generate --model MODEL --temperature=-1", status: 64, says: ["--temperature", "0 or more"]),
        Case(command: "generate --model MODEL --top-p 0", status: 64, says: ["--top-p"]),
        Case(
            command: "generate --model MODEL --temperature=1e39", status: 64,
            says: ["--temperature is 1e39: that is beyond what 32-bit floats hold"]),
        Case(
            command: "generate --model MODEL --temperature 1E-60", status: 64,
            says: ["--temperature is 1E-60: that is beyond"]),
        Case(command: "generate --model MODEL --temperature=inf", status: 64, says: ["--temperature is inf: it must"]),
        Case(command: "generate --model MODEL --top-p=-1e400", status: 64, says: ["--top-p is -1e400: that is beyond"]),
        Case(command: "generate --model MODEL --top-p=1.50", status: 64, says: ["--top-p is 1.50: it must be above 0"]),
        Case(
            command: "logprobs --model MODEL --tokens ROWS --temperature=2e39", status: 64,
            says: ["--temperature is 2e39: that is beyond"]),
        Case(
            command: "generate --model MODEL --prompts /dev/zero",
            says: ["/dev/zero: is a device: it must be a file, a pipe or a terminal"]),
        Case(command: "logprobs --model MODEL --tokens /dev/zero", says: ["/dev/zero: is a device"]),
        Case(command: "score --input /dev/urandom", says: ["/dev/urandom: is a device"]),
        Case(command: "decompose --input /dev/zero", says: ["/dev/zero: is a device"]),
        Case(command: "decompose --input /dev/null", says: ["/dev/null: holds no row"]),
        Case(command: "eval --model MODEL --task gsm8k task.test=/dev/zero", says: ["/dev/zero: is a device"]),
        Case(command: "train /dev/zero --dry-run", says: ["/dev/zero: is a device"]),
        Case(command: "generate --model MODEL --top-k=-1", status: 64, says: ["--top-k"]),
        Case(command: "generate --model MODEL --samples 0", status: 64, says: ["--samples"]),
        Case(command: "generate --model MODEL --max-new-tokens 0", status: 64, says: ["--max-new-tokens"]),
        Case(command: "generate --model MODEL --threads 5000", status: 64, says: ["--threads"]),
        Case(command: "generate --model MODEL/none", says: ["none/config.json"]),
        Case(command: "generate --model MODEL --prompts MODEL/none", says: ["MODEL/none", "cannot be read"]),
        Case(command: "generate --model MODEL --max-new-tokens 64", says: ["max_position_embeddings", "64"]),
        Case(command: "generate --model MODEL --prompts ROWS", says: ["ROWS", "holds no row"]),
        Case(
            command: "generate --model MODEL --prompts ROWS",
            rows: "{\"id\": 1, \"prompt\": \"a\"}\n{\"id\": 2, \"prompt\": \"aé\"}",
            says: ["ROWS, line 2, field “prompt”", "é"]),
        Case(
            command: "generate --model MODEL --prompts ROWS --max-new-tokens 60",
            rows: "{\"id\": 1, \"prompt\": \"a\"}\n{\"id\": 2, \"tokens\": [0, 1, 2, 3, 4]}",
            says: ["ROWS, line 2, field “tokens”", "5 tokens", "60", "64"]),
        Case(
            command: "generate --model MODEL --prompts ROWS", rows: "{\"id\": 1, \"tokens\": [0, 99]}",
            says: ["ROWS, line 1, field “tokens[1]”", "99"]),
        Case(
            command: "generate --model MODEL --prompts ROWS", rows: "{\"id\": 1, \"tokens\": [-1]}",
            says: ["line 1, field “tokens[0]”"]),
        Case(
            command: "generate --model MODEL --prompts ROWS", rows: "{\"id\": 1, \"tokens\": []}",
            says: ["line 1, field “tokens”", "empty"]),
        Case(
            command: "generate --model MODEL --prompts ROWS", rows: "{\"id\": [], \"tokens\": [1]}",
            says: ["line 1, field “id”"]),
        Case(command: "generate --model MODEL --prompts ROWS", rows: "nonsense", says: ["ROWS, line 1"]),
        Case(command: "logprobs --model MODEL", status: 64, says: ["--tokens"]),
        Case(
            command: "logprobs --model MODEL --tokens ROWS --temperature=-1", status: 64, says: ["--temperature"]),
        Case(command: "logprobs --model MODEL --tokens ROWS", says: ["ROWS", "holds no row"]),
        Case(
            command: "logprobs --model MODEL --tokens ROWS", rows: "\n{\"id\": 1, \"tokens\": [0, 1000]}",
            says: ["ROWS, line 2, field “tokens[1]”"]),
        Case(
            command: "logprobs --model MODEL --tokens ROWS",
            rows: "{\"id\": 1, \"tokens\": [\(Array(repeating: "4", count: 65).joined(separator: ","))]}",
            says: ["line 1, field “tokens”", "65", "64"]),
        Case(
            command: "logprobs --model MODEL --tokens ROWS", rows: "{\"id\": 1}",
            says: ["line 1, field “tokens”", "missing"]),
        Case(command: "tokenize", status: 64, says: ["--tokenizer"]),
        Case(command: "tokenize --tokenizer MODEL/none", says: ["none/tokenizer.json"]),
        Case(command: "tokenize --tokenizer MODEL", input: "é", says: ["standard input", "é"]),
        Case(
            command: "tokenize --tokenizer MODEL --decode", input: "[1, 99]", says: ["standard input", "ids[1]", "99"]),
        Case(command: "tokenize --tokenizer MODEL --decode", input: "[1, \"a\"]", says: ["standard input", "ids[1]"]),
        Case(command: "tokenize --tokenizer MODEL --decode", input: "a b", says: ["standard input", "not JSON"]),
        Case(command: "decompose", status: 64, says: ["--input"]),
        Case(command: "decompose --input MODEL/none", says: ["MODEL/none", "cannot be read"]),
        Case(command: "decompose --input ROWS", rows: "{\"id\": 1}", says: ["ROWS, line 1, field “text”"]),
        Case(command: "decompose --input ROWS --decomposer magic", status: 64, says: ["magic", "rules"]),
        Case(command: "score", status: 64, says: ["--input", "--teacher"]),
        Case(command: "score --input ROWS --teacher ROWS", status: 64, says: ["either"]),
        Case(command: "score --input ROWS", says: ["ROWS", "holds no row"]),
        Case(
            command: "score --input ROWS", rows: "{\"id\": 1, \"teacher\": \"a\"}",
            says: ["ROWS, line 1, field “student”"]),
        Case(
            command: "score --input ROWS --report MODEL/none/report.json",
            rows: "{\"id\": 1, \"teacher\": \"1 + 1 = 2\", \"student\": \"1 + 1 = 2\"}",
            says: ["report.json", "folder"]),
        Case(command: "score --input ROWS --judge oracle", status: 64, says: ["oracle", "lexical"]),
        Case(command: "score --teacher MODEL/none --students MODEL/none", says: ["MODEL/none"]),
        Case(command: "eval --task gsm8k", status: 64, says: ["--model"]),
        Case(command: "eval --model MODEL --task chess", status: 64, says: ["chess", "gsm8k"]),
        Case(command: "eval --model MODEL task.tset=1", says: ["task.tset", "“test”"]),
        Case(command: "eval --model MODEL nonsense seed=1 more", status: 64, says: ["more"]),
        Case(command: "eval --model MODEL", says: ["tokenizer.json", "vocabulary of the quantity graphs"]),
        Case(command: "eval --model MODEL --task gsm8k", says: ["task.test", "names no file"]),
        Case(command: "eval --model MODEL --task gsm8k task.test=MODEL/none", says: ["MODEL/none", "cannot be read"]),
        Case(command: "eval --model MODEL ROWS", rows: "seed: 1\nsteps: -1", says: ["ROWS:2: steps: is -1"]),
        Case(command: "eval --model MODEL --samples=-1", status: 64, says: ["--samples"]),
        Case(command: "eval --model MODEL evaluation.samples=-1", says: ["command line: evaluation.samples"]),
        Case(
            command: "eval --model MODEL --task gsm8k evaluation.split=validation",
            says: ["task.validation", "names no file"]),
        Case(command: "bench rollout --batch -1", status: 64, says: ["--batch is -1: it must be 1 to 1048576"]),
        Case(
            command: "train --threads -2 --dry-run", status: 64, says: ["--threads is -2: it must be 0 for all cores"]),
        Case(
            command: "generate --model MODEL --temperature -0.5", status: 64,
            says: ["--temperature is -0.5: it must be 0 or more"]),
        Case(
            command: "generate --model MODEL --seed -1", status: 64,
            says: ["--seed", "-1", "0 to 18446744073709551615"]),
        Case(
            command: "train learner.adapters.targets= --dry-run",
            says: ["command line: learner.adapters.targets: has no value; it takes a list of q_proj, k_proj"]),
        Case(
            command: "train dtype= --dry-run", says: ["command line: dtype: has no value; it takes f32, bf16"]),
        Case(command: "train seed=-1 --dry-run", says: ["seed: is -1: it must be 0 to 18446744073709551615"]),
        Case(
            command: "train steps=99999999999999999999 --dry-run",
            says: ["steps: is 99999999999999999999: it must be 0 to 16777216"]),
        Case(
            command: "train arms=null --dry-run",
            says: ["command line: arms: has no value; it takes a list of sft, grpo, rlkd"]),
        Case(command: "bench kernels --batch 0", status: 64, says: ["--batch"]),
        Case(command: "bench kernels --batch 1,x", status: 64, says: ["--batch"]),
        Case(command: "bench kernels --model MODEL/none", says: ["none/config.json"]),
        Case(
            command: "bench rollout --model MODEL --prompt 60 --new 60 --threads 1",
            says: ["max_position_embeddings", "is 64, but --prompt 60, --new 60", "(of --batch 64)"]),
        // The batch alone is too large: an engine's first completion would grow while the others' prompts are computed.
        Case(
            command: "bench rollout --model MODEL --batch 999 --prompt 16 --new 16 --threads 1",
            says: ["is 64, but", "the 66 steps until all 999 completions of an engine run (of --batch 999) take 98"]),
        Case(
            command: "bench pipeline --model MODEL --prompt 60 --new 60",
            says: ["max_position_embeddings", "is 64, but --prompt 60 and --new 60 take 120"]),
        Case(command: "bench learner --shape large", status: 64, says: ["large", "small"]),
        Case(
            command: "bench learner --micro-batch-rows 16777217", status: 64,
            says: ["--micro-batch-rows is 16777217: it must be 1 to 16777216"]),
        Case(
            command: "train learner.microBatchRows=16777217 --dry-run",
            says: ["learner.microBatchRows: is 16777217: it must be 1 to 16777216"]),
        Case(
            command: "train learner.microBatchRows=0 --dry-run",
            says: ["learner.microBatchRows: is 0: it must be 1 to 16777216"]),
        Case(
            command: "train student.layers=20000 --dry-run",
            says: ["command line: student.layers: 20000 exceeds 10000"]),
        Case(command: "train stepz=1 --dry-run", says: ["stepz", "“steps”"]),
        Case(command: "train steps=-1 --dry-run", says: ["command line: steps: is -1"]),
        Case(command: "train ROWS --dry-run", rows: "seed: 1\nsteps: -1", says: ["ROWS:2: steps: is -1"]),
        Case(command: "train ROWS --dry-run", rows: "seed: 1\nsteps: [", says: ["ROWS:2: is not YAML: "]),
        Case(command: "train MODEL/none --dry-run", says: ["MODEL/none: does not exist"]),
        Case(command: "train MODEL --dry-run", says: ["MODEL: is a directory"]),
        Case(command: "train --threads 5000 --dry-run", status: 64, says: ["--threads"]),
        Case(command: "train --dtype f16 --dry-run", status: 64, says: ["f16"]),
        Case(command: "fly", status: 64, says: ["fly"]),
    ]

    private static func words(_ command: String) -> [String] { command.split(separator: " ").map(String.init) }

    @Test(arguments: cases) func isNamed(_ wrong: Case) throws {
        let model = try ModelFixture()
        let rows = try model.folder.write(wrong.rows, to: "rows.jsonl")
        func fill(_ text: String) -> String {
            text.replacing("MODEL", with: model.path).replacing("ROWS", with: rows)
        }
        let outcome = try CommandLineProcess.run(
            wrong.command.split(separator: " ").map { fill(String($0)) }, input: wrong.input)
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

    /// Pipes are read wherever a file is: a named one, standard input, and one that the shell makes.
    @Test(arguments: [
        "cat ROWS > FIFO & \"$0\" COMMAND FIFO; status=$?; kill $!; exit $status",
        "cat ROWS | \"$0\" COMMAND /dev/stdin", "\"$0\" COMMAND /dev/stdin < ROWS",
        "\"$0\" COMMAND <(cat ROWS)",
    ])
    func pipesAreRead(script: String) throws {
        let folder = try TemporaryFolder()
        for (command, text, says) in [
            ("decompose --input", "{\"id\": 7, \"text\": \"1 + 1 = 2\"}\n", "\"id\":7"),
            ("train --dry-run", "seed: 41\nstudent:\n  layers: 3\n", "\n  layers: 3\n"),
            ("train --dry-run", "seed: 41\nstudent:\n  layers: -3\n", ":3: student.layers: is -3"),
        ] {
            let rows = try folder.write(text, to: "rows")
            let fifo = folder.url.appending(path: UUID().uuidString).path
            try #require(mkfifo(fifo, 0o600) == 0)
            let filled = [("COMMAND", command), ("FIFO", "'\(fifo)'"), ("ROWS", "'\(rows)'")]
                .reduce(script) { $0.replacing($1.0, with: $1.1) }
            let outcome = try CommandLineProcess.run(
                URL(fileURLWithPath: "/bin/bash"), ["-c", filled, CommandLineProcess.executable.path])
            #expect((outcome.text + outcome.diagnostics).contains(says), "\(command): \(outcome.diagnostics)")
            #expect(outcome.status == (says.hasPrefix(":") ? 65 : 0))
        }
    }

    /// What is typed is no file's: paths in it are relative to where the command runs.
    @Test func pathsFromStandardInputAreRelativeToTheWorkingDirectory() throws {
        let folder = try TemporaryFolder()
        let script = "cd '\(folder.url.path)' && echo 'output: here' | \"$0\" train /dev/stdin --dry-run"
        let outcome = try CommandLineProcess.run(
            URL(fileURLWithPath: "/bin/bash"), ["-c", script, CommandLineProcess.executable.path])
        #expect(outcome.status == 0, "\(outcome.diagnostics)")
        let output = outcome.text.split(separator: "\n").first { $0.hasPrefix("output: ") }
        #expect(output?.hasPrefix("output: /dev") == false && output?.hasSuffix("/here") == true)
    }

    /// Sizes that no machine has are refused before any work, with what they would take.
    @Test(arguments: [
        ("bench rollout --batch 1048576", 64, "--batch is 1048576"),
        ("bench rollout --new 1048576 --threads 1024", 64, "--new is 1048576"),
        ("bench rollout --prompt 1048576 --threads 1024", 64, "--prompt is 1048576"),
        ("bench learner --length 1048576 --threads 1024", 64, "--length is 1048576"),
        ("bench learner --prompt 1048576 --threads 1024", 64, "--prompt is 1048576"),
        ("bench kernels --batch 64,1048576 --threads 1024", 64, "--batch is 1048576"),
        ("generate --model MODEL --samples 1048576 --threads 1024 --prompts MANY", 64, "--samples is 1048576"),
        ("train --dry-run student.hiddenSize=1048572 student.layers=1000", 65, "student.hiddenSize: is 1048572"),
        ("train --dry-run evaluation.samples=16777216 task.testProblems=1000", 65, "evaluation.samples: is 16777216"),
    ])
    func whatCannotFitIsRefused(command: String, status: Int32, says: String) throws {
        let model = try ModelFixture()
        let rows = (0..<1024).map { "{\"id\": \($0), \"tokens\": [0]}" }
        let many = try model.folder.write(rows.joined(separator: "\n"), to: "many.jsonl")
        let outcome = try CommandLineProcess.run(
            Self.words(command.replacing("MODEL", with: model.path).replacing("MANY", with: many)))
        #expect(outcome.status == status, "\(outcome.diagnostics)")
        #expect(outcome.output.isEmpty)
        #expect(outcome.diagnostics.contains(says), "\(outcome.diagnostics)")
        #expect(outcome.diagnostics.contains("the work would take about"))
        #expect(outcome.diagnostics.split(separator: "\n").count == 1)
    }

    /// A small limit stands in for a small machine.
    @Test func theLimitOfTheProcessCounts() throws {
        let script = "ulimit -v 6000000; exec \"$0\" bench rollout --batch 4096 --new 200 --prompt 16 --threads 1"
        let outcome = try CommandLineProcess.run(
            URL(fileURLWithPath: "/bin/sh"), ["-c", script, CommandLineProcess.executable.path])
        #expect(outcome.status == 64)
        #expect(outcome.diagnostics.contains("--batch is 4096"), "\(outcome.diagnostics)")
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
                Self.words(command.replacing("MODEL", with: model.path).replacing("ROWS", with: rows)))
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
            Self.words(command.replacing("MODEL", with: model.path).replacing("ROWS", with: rows)))
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
                Self.words(command.replacing("MODEL", with: model.path).replacing("ROWS", with: rows)))
            #expect(outcome.status == status, "\(command): \(outcome.diagnostics)")
        }
    }

    /// Integers at the ends of their range trap nowhere.
    @Test(
        arguments: [
            ("bench rollout", ["--batch", "--prompt", "--new", "--group", "--threads"]),
            ("bench learner", ["--batch", "--prompt", "--length", "--threads"]),
            ("bench kernels", ["--batch", "--threads"]),
            ("generate --model MODEL", ["--samples", "--batch", "--max-new-tokens", "--threads"]),
            ("logprobs --model MODEL --tokens ROWS", ["--threads"]),
            ("eval --model MODEL", ["--samples", "--threads"]),
            ("tokenize --tokenizer MODEL", ["--threads"]), ("score --input ROWS", ["--threads"]),
            ("decompose --input ROWS", ["--threads"]), ("info", ["--threads"]),
        ])
    func integersOutOfRangeAreNamed(command: String, options: [String]) throws {
        for option in options {
            for value in [
                "9223372036854775807", "-9223372036854775808", "-1", "1000000000000", "10000000000000000000000",
            ] {
                let outcome = try CommandLineProcess.run(
                    Self.words(command) + ["\(option)=\(value)"])
                #expect(outcome.status == 64, "\(option) \(value): \(outcome.diagnostics)")
                #expect(outcome.diagnostics.contains(option))
            }
        }
        if command == "bench rollout" {
            let outcome = try CommandLineProcess.run(Self.words("bench rollout --batch 4 --group 5"))
            #expect(outcome.status == 64 && outcome.diagnostics.contains("--group"))
        }
    }

    @Test(arguments: [
        "info", "generate --model x", "logprobs --model x --tokens x", "tokenize --tokenizer x", "decompose --input x",
        "score --input x", "eval --model x", "bench kernels", "train --dry-run",
    ])
    func unknownKernelVariantIsRefused(command: String) throws {
        let outcome = try CommandLineProcess.run(
            Self.words(command), environment: ["RLKD_ISA": "abacus"])
        #expect(outcome.status == 65)
        #expect(outcome.diagnostics.contains("RLKD_ISA") && outcome.diagnostics.contains("abacus"))
        #expect(outcome.diagnostics.split(separator: "\n").count == 1)
    }
}
