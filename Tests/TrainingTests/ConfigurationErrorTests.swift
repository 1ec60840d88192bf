import Foundation
import Testing

@testable import Training

/// What is wrong is named with its place.
@Suite struct ConfigurationErrorTests {
    @Test func anUnknownKeyIsNamedWithTheNearest() async throws {
        let first = try await ConfigurationText.error("steps: 3\nsede: 4\n")
        #expect(
            first
                == ConfigurationError(
                    source: "run.yaml", line: 2, key: "sede", reason: "is not a key; the nearest is “seed”"))
        #expect(first.description == "run.yaml:2: sede: is not a key; the nearest is “seed”")
        let nested = try await ConfigurationText.error("task:\n  graphs:\n    modulos: 13\n")
        #expect((nested.line, nested.key) == (3, "task.graphs.modulos"))
        #expect(nested.reason.contains("“modulus”"))
        let override = try await ConfigurationText.error("", "reinforcement.groupsize=4")
        #expect(override.source == "command line")
        #expect(override.line == nil)
        #expect(override.key == "reinforcement.groupsize")
        #expect(override.reason.contains("“groupSize”"))
    }

    @Test(arguments: [
        ("seed: 1\nsteps: many\n", 2, "steps", "a whole number"),
        ("steps: 2.5\n", 1, "steps", "is “2.5”, not a whole number"),
        // Each key's own bounds, whether a number fits its type or not.
        ("steps: 99999999999999999999\n", 1, "steps", "is 99999999999999999999: it must be 0 to 16777216"),
        ("steps: '7'\n", 1, "steps", "is “7”, a text: write the number without quotes"),
        // Another key is refused first.
        (
            "threads: 9223372036854775807\nsteps: 99999999999999999999\n", 2, "steps",
            "is 99999999999999999999: it must be -9223372036854775808 to 9223372036854775807"
        ),
        ("threads: 99999999999999999999\n", 1, "threads", "is 99999999999999999999: 0 for all cores, or 1 to 1024"),
        ("student: {layers: -99999999999999999999}\n", 1, "student.layers", "it must be 1 to 1048576"),
        (
            "task: {graphs: {sizes: [1, 99999999999999999999]}}\n", 1, "task.graphs.sizes.1",
            "1 to 99999999999999999999 is not within 1 to "
        ),
        ("seed: 99999999999999999999\n", 1, "seed", "is 99999999999999999999: it must be 0 to 18446744073709551615"),
        ("seed: -1\n", 1, "seed", "is -1: it must be 0 to 18446744073709551615"),
        ("warmup:\n  learningRate: fast\n", 2, "warmup.learningRate", "a number"),
        ("arms:\n  - rlkd\n  - ppo\n", 2, "arms.1", "ppo"),
        ("task: {kind: sudoku}\n", 1, "task.kind", "sudoku"),
        ("steps: [1, 2]\n", 1, "steps", "a single value"),
        ("name: {a: b}\n", 1, "name", "a single value"),
        ("steps: null\n", 1, "steps", "a whole number"),
        ("\n\nstudent: 5\n", 3, "student", "takes keys of its own: "),
        ("student:\n", 1, "student", "takes keys of its own: "),
        ("task:\n  graphs:\n    sizes: [5, 3]\n", 3, "task.graphs.sizes", "is “5, 3”, not a least and a most"),
        ("task:\n  graphs:\n    sizes: [3, 4, 5]\n", 3, "task.graphs.sizes", "two whole numbers"),
        ("reward: {judge: oracle}\n", 1, "reward.judge", "exact, lexical"),
    ])
    func aValueOfTheWrongKindNamesKeyAndLine(text: String, line: Int, key: String, reason: String) async throws {
        let error = try await ConfigurationText.error(text)
        #expect(error.source == "run.yaml")
        #expect(error.line == line)
        #expect(error.key == key)
        #expect(error.reason.contains(reason), "\(error)")
    }

    @Test(arguments: [
        ("steps=x", "steps"), ("arms=[ppo]", "arms.0"), ("arms=ppo", "arms.0"), ("student={foo: 1}", "student.foo"),
        ("=3", "=3"), (".steps=3", ".steps=3"), ("steps.=3", "steps.=3"), ("steps", "steps"), ("steps.more=3", "steps"),
        ("name=[", "name"), ("task=3", "task"),
    ])
    func aBadOverrideIsOfTheCommandLine(override: String, key: String) async throws {
        let error = try await ConfigurationText.error("seed: 2\nsteps: 4\n", override)
        #expect(error.source == "command line")
        #expect(error.line == nil)
        #expect(error.key == key, "\(error)")
    }

    /// Lists of lists that stand for a thousand million values.
    @Test func aliasesAreNotMultipliedOut() async throws {
        var lists = ["&a0 [x, x, x, x, x, x, x, x, x, x]"]
        for depth in 1..<9 {
            lists.append("&a\(depth) [\(Array(repeating: "*a\(depth - 1)", count: 10).joined(separator: ", "))]")
        }
        let override = #expect(throws: ConfigurationError.self) {
            try ConfigurationReader.read(file: nil, overrides: ["arms=[\(lists.joined(separator: ", "))]"])
        }
        #expect(override?.key == "arms" && override?.source == "command line")
        // A key is compared with others, all values of it.
        let names = lists.enumerated().map { "k\($0): \($1)\n" }.joined()
        let file = try await ConfigurationText.error(names + "? *a8\n: 1\n")
        #expect(file.reason == "has 81 aliases (such as *name), and may have 8: write the values out")
        // What looks like one and is none.
        let few = try ConfigurationReader.read(file: nil, overrides: ["name=a * b *c*d"])
        #expect(few.name == "a * b *c*d")
    }

    @Test(arguments: [["arms=[&a [x, x], &b [*a, *a], [*b, *b, *b, *b, *b]]"], ["steps=&a 3"]])
    func aliasesThatAreFewAreRead(overrides: [String]) {
        do { _ = try ConfigurationReader.read(file: nil, overrides: overrides) } catch {
            #expect("\(error)".contains("aliases") == false)
        }
    }

    @Test func whatIsNotYAMLIsRefused() async throws {
        for (text, line) in [
            ("a: [", 1), ("steps: 1\n\tx: 2\n", 2), ("a: &x\nb: *y\n", 2), ("steps: 1\nsteps: 2\n", 1),
            ("steps: 1\nname: \u{1}\n", 2),
        ] {
            let error = try await ConfigurationText.error(text)
            #expect(error.source == "run.yaml")
            #expect(error.line == line, "\(error)")
            #expect(error.reason.hasPrefix("is not YAML: "))
            #expect(!error.description.contains("\n"))
        }
        #expect(try await ConfigurationText.error("- a\n- b\n").reason == "is not a mapping of keys")
        #expect(try await ConfigurationText.error("just text\n").reason == "is not a mapping of keys")
    }

    @Test func aFileThatCannotBeReadIsNamed() async throws {
        try await withTemporaryFolder { folder in
            let absent = folder.appending(path: "absent.yaml")
            let binary = folder.appending(path: "binary.yaml")
            try Data([0x73, 0xff, 0xfe, 0x00]).write(to: binary)
            for (file, reason) in [
                (absent, "cannot be read: No such file or directory"), (binary, "is not UTF-8 text"),
                (folder, "is a directory, not a file"),
            ] {
                let error = #expect(throws: ConfigurationError.self) { try ConfigurationReader.read(file: file) }
                #expect(error == ConfigurationError(source: file.path, key: "", reason: reason))
            }
        }
    }

    /// What is found impossible after reading names the place that set it.
    @Test func anImpossibleValueNamesWhereItWasSet() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "v.yaml")
            try Data("seed: 1\nsteps: -1\nstudent:\n  hiddenSize: 97\nevaluation: {samples: 16777216}\n".utf8).write(
                to: file)
            func failure(_ overrides: String...) async throws -> ConfigurationError? {
                let (configuration, origins) = try ConfigurationReader.readWithOrigins(file: file, overrides: overrides)
                return await #expect(throws: ConfigurationError.self) {
                    try await origins.locating { try configuration.validate() }
                }
            }
            #expect(try await failure()?.description.hasPrefix("\(file.path):2: steps: is -1: it must be ") == true)
            #expect(
                try await failure("steps=-2")?.description.hasPrefix("command line: steps: is -2: it must be ") == true)
            #expect(
                try await failure("steps=1")?.description.hasPrefix("\(file.path):4: student.hiddenSize: is 97: ")
                    == true
            )
            let inherited = try await failure("steps=1", "student.hiddenSize=96", "student.attentionHeads=5")
            #expect(inherited?.source == "command line" && inherited?.key == "student.hiddenSize")
            let size = try ConfigurationReader.readWithOrigins(file: file).origins
            let memory = await #expect(throws: ConfigurationError.self) {
                try await size.locating {
                    throw InsufficientMemory(
                        cause: .key("evaluation.samples", value: "16777216"), bytes: 0x1p30, available: 1)
                }
            }
            #expect(memory?.line == 5 && memory?.key == "evaluation.samples")
            #expect(memory?.reason.hasPrefix("is 16777216: the work would take about 1.0 GiB") == true)
        }
    }
}
