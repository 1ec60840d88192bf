extension BadInputTests {
    /// Of commands that run a model or its tokenizer on rows.
    static let generation: [Case] = [
        Case(command: "generate", status: 64, says: ["--model"]),
        Case(command: "generate --model MODEL --dtype f16", status: 64, says: ["f16"]),
        Case(
            command: "generate --model MODEL --chat --prompts ROWS", rows: "{\"id\": 1, \"prompt\": \"a\"}",
            says: ["tokenizer_config.json: chat_template: is missing", "--chat"]),
        Case(
            command: "generate --model MODEL --temperature=-1", status: 64,
            says: ["--temperature", "0, or 1e-06 or more"]),
        Case(command: "generate --model MODEL --top-p 0", status: 64, says: ["--top-p"]),
        Case(
            command: "generate --model MODEL --temperature=1e39", status: 64,
            says: ["--temperature is 1e39: that is beyond what 32-bit floats hold"]),
        Case(
            command: "generate --model MODEL --temperature 1E-60", status: 64,
            says: ["--temperature is 1E-60: that is beyond"]),
        Case(command: "generate --model MODEL --temperature=inf", status: 64, says: ["--temperature is inf: it must"]),
        Case(
            command: "generate --model MODEL --temperature 1e-38", status: 64,
            says: ["--temperature is 1e-38: it must"]),
        Case(command: "generate --model MODEL --top-p=-1e400", status: 64, says: ["--top-p is -1e400: that is beyond"]),
        Case(command: "generate --model MODEL --top-p=1.50", status: 64, says: ["--top-p is 1.50: it must be above 0"]),
        Case(
            command: "logprobs --model MODEL --tokens ROWS --temperature=2e39", status: 64,
            says: ["--temperature is 2e39: that is beyond"]),
        Case(
            command: "generate --model MODEL --prompts /dev/zero",
            says: ["/dev/zero: is a device: it must be a file, a pipe or a terminal"]),
        Case(command: "logprobs --model MODEL --tokens /dev/zero", says: ["/dev/zero: is a device"]),
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
        Case(
            command: "generate --model MODEL --temperature -0.5", status: 64,
            says: ["--temperature is -0.5: it must be 0, or 1e-06 or more and finite"]),
        Case(
            command: "generate --model MODEL --seed -1", status: 64,
            says: ["--seed", "-1", "0 to 18446744073709551615"]),
    ]
}
