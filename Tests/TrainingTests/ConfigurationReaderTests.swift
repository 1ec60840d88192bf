import Foundation
import Learning
import StructureRewards
import Testing

@testable import Training

@Suite struct ConfigurationReaderTests {
    private func read(_ text: String, _ overrides: String...) async throws -> RunConfiguration {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "run.yaml")
            try Data(text.utf8).write(to: file)
            return try ConfigurationReader.read(file: file, overrides: overrides)
        }
    }

    private func error(_ text: String, _ overrides: String...) async throws -> ConfigurationError {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "run.yaml")
            try Data(text.utf8).write(to: file)
            var error = try #require(
                #expect(throws: ConfigurationError.self) {
                    try ConfigurationReader.read(file: file, overrides: overrides)
                })
            error.source = error.source.replacing(folder.path + "/", with: "")
            return error
        }
    }

    @Test func withoutAnythingItIsTheBuiltInRun() throws {
        #expect(try ConfigurationReader.read(file: nil) == RunConfiguration())
    }

    @Test func aFileChangesWhatItNames() async throws {
        let configuration = try await read(
            """
            # a comment
            steps: 7
            arms: [grpo, sft]
            task:
              kind: jsonl
              graphs: {sizes: [3, 5]}
              fields: {trace: null, id: name}
            reinforcement:
              sampling:
                temperature: 0.5
            reward: {alpha: 0.25, judge: lexical, compatibility: reference}
            warmup: {shape: linear, learningRate: 1e-4}
            """)
        var expected = RunConfiguration()
        expected.steps = 7
        expected.arms = [.grpo, .sft]
        expected.task.kind = .jsonl
        expected.task.graphs.sizes = 3...5
        expected.task.fields.trace = nil
        expected.task.fields.id = "name"
        expected.reinforcement.sampling.temperature = 0.5
        expected.reward.alpha = 0.25
        expected.reward.judge = .lexical
        expected.reward.compatibility = .reference
        expected.warmup.shape = .linear
        expected.warmup.learningRate = 1e-4
        #expect(configuration == expected)
    }

    @Test func anEmptyFileChangesNothing() async throws {
        for text in ["", "\n", "# nothing\n", "{}\n"] {
            #expect(try await read(text) == RunConfiguration())
        }
    }

    @Test func overridesComeLast() async throws {
        let configuration = try await read(
            "steps: 7\nseed: 2\n", "steps=9", "arms=rlkd", "steps=11", "task.graphs.sizes=2,3", "reward.alpha=0.5",
            "name=a=b", "reinforcement.sampling.topP=0.9")
        #expect(configuration.steps == 11)
        #expect(configuration.seed == 2)
        #expect(configuration.arms == [.rlkd])
        #expect(configuration.task.graphs.sizes == 2...3)
        #expect(configuration.reward.alpha == 0.5)
        #expect(configuration.name == "a=b")
        #expect(configuration.reinforcement.sampling.topP == 0.9)
    }

    @Test func listsAreTakenInEitherForm() async throws {
        for override in ["arms=sft,rlkd", "arms=[sft, rlkd]", "arms=sft, rlkd"] {
            #expect(try ConfigurationReader.read(file: nil, overrides: [override]).arms == [.sft, .rlkd])
        }
        #expect(try await read("arms: rlkd\n").arms == [.rlkd])
        #expect(try await read("arms:\n  - rlkd\n  - sft\n").arms == [.rlkd, .sft])
    }

    @Test func nullTakesAValueAway() async throws {
        let configuration = try await read(
            "reward: {alpha: 0.5}\nstudent: {model: /m}\noutput: ~\n", "reward.alpha=null", "student.model=")
        #expect(configuration.reward.alpha == nil)
        #expect(configuration.student.model == nil)
        #expect(configuration.output == nil)
    }

    // MARK: Paths

    @Test func pathsInAFileAreRelativeToIt() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "deep/run.yaml")
            try FileManager.default.createDirectory(
                at: folder.appending(path: "deep"), withIntermediateDirectories: true)
            try Data("output: ../out\ntask: {training: a.jsonl, test: /b.jsonl}\nstudent: {model: ./m}\n".utf8).write(
                to: file)
            let configuration = try ConfigurationReader.read(file: file)
            let root = folder.standardizedFileURL.path
            #expect(configuration.output == root + "/out")
            #expect(configuration.task.training == root + "/deep/a.jsonl")
            #expect(configuration.task.test == "/b.jsonl")
            #expect(configuration.student.model == root + "/deep/m")
        }
    }

    /// As config.yaml in the run directory, which may be anywhere, they would mean something else.
    @Test func pathsInOverridesAreRelativeToTheWorkingDirectory() throws {
        let configuration = try ConfigurationReader.read(
            file: nil, overrides: ["student.model=../m", "task.training=a/b.jsonl", "output=/run"])
        let here = URL(filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
        #expect(configuration.student.model == here.deletingLastPathComponent().appending(path: "m").path)
        #expect(configuration.task.training == here.appending(path: "a/b.jsonl").path)
        #expect(configuration.output == "/run")
    }

    @Test func aWrittenConfigurationIsReadAsItWas() async throws {
        var odd = TestRun.configuration(output: URL(filePath: "/some where/run: 1"))
        odd.name = "null"
        odd.seed = .max
        odd.reward.alpha = 0.1
        odd.task.separator = "\n\t: #"
        odd.task.fields.answer = nil
        odd.task.fields.question = "1e3"
        odd.arms = [.grpo]
        for configuration in [RunConfiguration(), TestRun.configuration(), odd] {
            #expect(try await read(configuration.yaml()) == configuration)
        }
    }

    // MARK: Errors

    @Test func anUnknownKeyIsNamedWithTheNearest() async throws {
        let first = try await error("steps: 3\nsede: 4\n")
        #expect(
            first
                == ConfigurationError(
                    source: "run.yaml", line: 2, key: "sede", reason: "is not a key; the nearest is “seed”"))
        #expect(first.description == "run.yaml:2: sede: is not a key; the nearest is “seed”")
        let nested = try await error("task:\n  graphs:\n    modulos: 13\n")
        #expect((nested.line, nested.key) == (3, "task.graphs.modulos"))
        #expect(nested.reason.contains("“modulus”"))
        let override = try await error("", "reinforcement.groupsize=4")
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
        let error = try await error(text)
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
        let error = try await error("seed: 2\nsteps: 4\n", override)
        #expect(error.source == "command line")
        #expect(error.line == nil)
        #expect(error.key == key, "\(error)")
    }

    @Test func whatIsNotYAMLIsRefused() async throws {
        for (text, line) in [
            ("a: [", 1), ("steps: 1\n\tx: 2\n", 2), ("a: &x\nb: *y\n", 2), ("steps: 1\nsteps: 2\n", 1),
            ("steps: 1\nname: \u{1}\n", 2),
        ] {
            let error = try await error(text)
            #expect(error.source == "run.yaml")
            #expect(error.line == line, "\(error)")
            #expect(error.reason.hasPrefix("is not YAML: "))
            #expect(!error.description.contains("\n"))
        }
        #expect(try await error("- a\n- b\n").reason == "is not a mapping of keys")
        #expect(try await error("just text\n").reason == "is not a mapping of keys")
    }

    @Test func aFileThatCannotBeReadIsNamed() async throws {
        try await withTemporaryFolder { folder in
            let absent = folder.appending(path: "absent.yaml")
            let binary = folder.appending(path: "binary.yaml")
            try Data([0x73, 0xff, 0xfe, 0x00]).write(to: binary)
            for (file, reason) in [
                (absent, "does not exist"), (binary, "is not UTF-8 text"), (folder, "is a directory, not a YAML file"),
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
            func error(_ overrides: String...) async throws -> ConfigurationError? {
                let (configuration, origins) = try ConfigurationReader.readWithOrigins(file: file, overrides: overrides)
                return await #expect(throws: ConfigurationError.self) {
                    try await origins.locating { try configuration.validate() }
                }
            }
            #expect(try await error()?.description.hasPrefix("\(file.path):2: steps: is -1: it must be ") == true)
            #expect(
                try await error("steps=-2")?.description.hasPrefix("command line: steps: is -2: it must be ") == true)
            #expect(
                try await error("steps=1")?.description.hasPrefix("\(file.path):4: student.hiddenSize: is 97: ") == true
            )
            let inherited = try await error("steps=1", "student.hiddenSize=96", "student.attentionHeads=5")
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

    /// Kernels take 32-bit floats.
    @Test(arguments: [
        ("warmup.learningRate", "1e39", "is 1e+39: it must be above 0 as a 32-bit float is"),
        ("optimizer.epsilon", "1e-60", "is 1e-60: it must be above 0 as a 32-bit float is"),
        ("optimizer.weightDecay", "1e39", "is 1e+39: it must be 0 or more, and at most 3e38"),
        ("reinforcement.clip", ".inf", "is inf: it must be above 0 as a 32-bit float is"),
        ("reinforcement.clip", "-0.2", "is -0.2: it must be above 0 as a 32-bit float is"),
        ("reinforcement.referenceWeight", ".inf", "is inf: it must be 0 or more, and at most 3e38"),
    ])
    func aNumberBeyondFloatsIsRefused(key: String, value: String, reason: String) throws {
        let configuration = try ConfigurationReader.read(file: nil, overrides: ["\(key)=\(value)"])
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error?.key == key)
        #expect(error?.reason.hasPrefix(reason) == true, "\(error?.reason ?? "")")
    }

    /// Weights are 32-bit floats, and so is the factor on adapters.
    @Test(arguments: ["1e300", "1e-300"]) func anAlphaBeyondFloatsIsRefused(alpha: String) throws {
        let overrides = ["learner.adapters.rank=4", "learner.adapters.alpha=\(alpha)"]
        let configuration = try ConfigurationReader.read(file: nil, overrides: overrides)
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error?.key == "learner.adapters.alpha")
    }

    /// Whatever stands in a file, it is read or refused with an error of its own.
    @Test func noTextBreaksTheReader() async throws {
        let pieces = [
            "steps", ":", " ", "\n", "  ", "- ", "[", "]", "{", "}", "null", "1", "x", "\"", "'", "&a", "*a", "!!int",
            "task:\n", "graphs:", "?", "|", ">", "<<", "#", "arms: ", "sizes: [1, 2]", "\t", "é", "---", "%",
        ]
        var state: UInt64 = 12
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "run.yaml")
            for _ in 0..<800 {
                let text = (0..<next(12)).map { _ in pieces[next(pieces.count)] }.joined()
                try Data(text.utf8).write(to: file)
                do {
                    _ = try ConfigurationReader.read(file: file)
                    _ = try ConfigurationReader.read(file: nil, overrides: ["task=" + text])
                } catch is ConfigurationError {
                }
            }
        }
    }
}

@Suite struct NearestNameTests {
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("", "abc", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("same", "same", 0),
        ("ab", "ba", 2),
    ])
    func distanceIsLevenshteins(left: String, right: String, distance: Int) {
        #expect(NearestName.distance(left, right) == distance)
        #expect(NearestName.distance(right, left) == distance)
    }

    @Test func caseDoesNotCountAndTiesAreAlphabetical() {
        #expect(NearestName.nearest(to: "GROUPSIZE", among: ["clip", "groupSize"]) == "groupSize")
        #expect(NearestName.nearest(to: "b", among: ["c", "a"]) == "a")
        #expect(NearestName.nearest(to: "b", among: []) == nil)
    }
}

@Suite struct ConfigurationValidationTests {
    @Test func theBuiltInRunIsValid() throws {
        try RunConfiguration().validate()
        try TestRun.configuration().validate()
    }

    @Test(arguments: [
        ("threads=-1", "threads"), ("threads=1025", "threads"), ("workers=-1", "workers"),
        ("maxStaleness=-1", "maxStaleness"), ("maxStaleness=9223372036854775807", "maxStaleness"),
        ("steps=-1", "steps"), ("steps=9223372036854775807", "steps"),
        ("arms=[]", "arms"), ("arms=sft,sft", "arms"), ("warmup.steps=-1", "warmup.steps"),
        ("warmup.batchSize=0", "warmup.batchSize"), ("sft.batchSize=9223372036854775807", "sft.batchSize"),
        ("sft.learningRate=0", "sft.learningRate"), ("sft.learningRate=.nan", "sft.learningRate"),
        ("sft.learningRate=.inf", "sft.learningRate"), ("sft.warmupSteps=-1", "sft.warmupSteps"),
        ("reinforcement.problemsPerBatch=0", "reinforcement.problemsPerBatch"),
        ("reinforcement.groupSize=1", "reinforcement.groupSize"),
        ("reinforcement.queueCapacity=0", "reinforcement.queueCapacity"),
        ("reinforcement.learningRate=-1", "reinforcement.learningRate"),
        ("reinforcement.clip=0", "reinforcement.clip"), ("reinforcement.clip=.nan", "reinforcement.clip"),
        ("reinforcement.referenceWeight=-0.1", "reinforcement.referenceWeight"),
        ("reinforcement.referenceWeight=.inf", "reinforcement.referenceWeight"),
        ("reinforcement.sampling.temperature=0", "reinforcement.sampling.temperature"),
        ("reinforcement.sampling.temperature=-1", "reinforcement.sampling.temperature"),
        ("reinforcement.sampling.topK=-1", "reinforcement.sampling.topK"),
        ("reinforcement.sampling.topP=1.5", "reinforcement.sampling.topP"),
        ("optimizer.beta1=1", "optimizer.beta1"), ("optimizer.beta2=-0.1", "optimizer.beta2"),
        ("optimizer.beta2=.nan", "optimizer.beta2"), ("optimizer.epsilon=0", "optimizer.epsilon"),
        ("optimizer.weightDecay=-1", "optimizer.weightDecay"),
        ("optimizer.maxGradientNorm=.nan", "optimizer.maxGradientNorm"),
        ("student.hiddenSize=0", "student.hiddenSize"), ("student.layers=-1", "student.layers"),
        ("student.maxPositions=100000000", "student.maxPositions"),
        ("student.initialDeviation=.nan", "student.initialDeviation"),
        ("reward.alpha=1.5", "reward.alpha"), ("reward.alpha=.nan", "reward.alpha"),
        ("reward.accuracy=.inf", "reward.accuracy"), ("reward.structure=.nan", "reward.structure"),
        ("task.maxNewTokens=0", "task.maxNewTokens"), ("task.trainingProblems=0", "task.trainingProblems"),
        ("task.testProblems=-1", "task.testProblems"), ("evaluation.samples=-1", "evaluation.samples"),
        ("evaluation.temperature=0", "evaluation.temperature"),
        ("evaluation.temperature=.inf", "evaluation.temperature"),
        ("checkpoints.every=0", "checkpoints.every"), ("checkpoints.imitationEvery=0", "checkpoints.imitationEvery"),
        ("checkpoints.keep=0", "checkpoints.keep"), ("checkpoints.rolloutsEvery=0", "checkpoints.rolloutsEvery"),
    ])
    func anImpossibleValueNamesItsKey(override: String, key: String) throws {
        let configuration = try ConfigurationReader.read(file: nil, overrides: [override])
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error?.key == key)
        #expect(error?.source == "configuration")
    }

    /// Found when the task is made, before anything is written.
    @Test(arguments: [
        ("task.graphs.modulus=12", "task.graphs.modulus"), ("task.graphs.definitions=21", "task.graphs.definitions"),
        ("task.graphs.sizes=4,11", "task.graphs.sizes"), ("student.model=/nowhere", "student.model"),
        ("task.kind=gsm8k", "student.model"), ("student.maxPositions=10", "student.maxPositions"),
    ])
    func anImpossibleTaskNamesItsKey(override: String, key: String) throws {
        let configuration = try ConfigurationReader.read(file: nil, overrides: ["task.trainingProblems=2", override])
        let run = TrainingRun(configuration: configuration, resuming: false, logger: TestRun.quietLogger)
        #expect(throws: (any Error).self) { try run.describe() }
        do { _ = try run.describe() } catch let error as ConfigurationError { #expect(error.key == key) }
    }
}
