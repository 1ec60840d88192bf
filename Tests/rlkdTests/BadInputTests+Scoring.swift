extension BadInputTests {
    /// Of commands that measure: rewards, structures, models.
    static let scoring: [Case] = [
        Case(command: "score --input /dev/urandom", says: ["/dev/urandom: is a device"]),
        Case(command: "decompose --input /dev/zero", says: ["/dev/zero: is a device"]),
        Case(command: "decompose --input /dev/null", says: ["/dev/null: holds no row"]),
        Case(command: "eval --model MODEL --task gsm8k task.test=/dev/zero", says: ["/dev/zero: is a device"]),
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
    ]
}
