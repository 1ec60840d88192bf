import Files
import Foundation
import Testing

@testable import Training

/// Runs whose files were changed while they lay: refused by name before anything is written.
@Suite(.timeLimit(.minutes(30))) struct DamagedRunTests {
    /// Every file of a folder but the lock, and its bytes.
    private func contents(_ folder: URL) throws -> [String: Data?] {
        var files: [String: Data?] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where name != RunLock.name {
            files[name] = .some(try? Data(contentsOf: folder.appending(path: name)))
        }
        return files
    }

    /// A run that was left at the last update of its arm.
    private func withRun(
        steps: Int = 2, _ body: (RunConfiguration, RunDirectory) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            var configuration = TestRun.configuration(output: folder.appending(path: "run"))
            configuration.steps = steps
            try await TestRun.run(configuration)
            let run = RunDirectory(url: folder.appending(path: "run"))
            var state = try RunState.load(run)
            state.finished = [.base]
            try state.write(to: run.state)
            try await body(configuration, run)
        }
    }

    private func expectRefusal(
        _ configuration: RunConfiguration, _ run: RunDirectory, source: URL, key: String,
        remedy: String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let before = try contents(run.url)
        let error = await #expect(throws: ConfigurationError.self, sourceLocation: sourceLocation) {
            try await TestRun.run(configuration, resuming: true)
        }
        #expect(error?.source == source.path, "\(error.map(\.description) ?? "")", sourceLocation: sourceLocation)
        #expect(error?.key == key, "\(error.map(\.description) ?? "")", sourceLocation: sourceLocation)
        #expect(
            error?.reason.hasSuffix(remedy) == true, "\(error.map(\.description) ?? "")", sourceLocation: sourceLocation
        )
        #expect(try contents(run.url) == before, sourceLocation: sourceLocation)
    }

    /// Sets what a dotted path in a JSON file names; nil removes it.
    private func set(_ path: String, to value: Any?, in file: URL) throws {
        func change(_ object: [String: Any], _ path: ArraySlice<String>) -> [String: Any] {
            var object = object
            let key = path[path.startIndex]
            object[key] =
                path.count == 1 ? value : change(object[key] as? [String: Any] ?? [:], path.dropFirst())
            return object
        }
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] ?? [:]
        try JSONSerialization.data(withJSONObject: change(object, path.split(separator: ".").map(String.init)[...]))
            .write(to: file)
    }

    @Test func aValueThatNoRunWritesIsNamed() async throws {
        try await withRun { configuration, run in
            let checkpoint = run.checkpoints.appending(path: "step-2/state.json")
            for (file, key, value) in [
                (checkpoint, "version", 1), (checkpoint, "version", -2), (checkpoint, "version", Int.max),
                (checkpoint, "optimizerSteps", -1), (checkpoint, "optimizerSteps", Int.max),
                (checkpoint, "report.updates", -1), (checkpoint, "report.learnedTokens", Int.max),
                (checkpoint, "report.sampledTokens", Int.min), (checkpoint, "report.seconds", "nan"),
                (checkpoint, "report.discarded.tokens", Int.max), (run.state, "results.base.same", nil),
                (run.state, "results.base.same.problems", -1), (run.state, "results.base.same.accuracy", 1.5),
                (run.state, "results.base.same.wellFormed", -7e20),
                (run.state, "reports.base", nil), (run.state, "reports.base.learnedTokens", -4),
                (run.state, "finished", ["rlkd"]), (run.state, "finished", ["base", "base"]),
                (run.state, "wallSeconds", "inf"),
            ] as [(URL, String, Any?)] {
                let whole = try Data(contentsOf: file)
                try set(key, to: value, in: file)
                try await expectRefusal(configuration, run, source: file, key: key)
                try whole.write(to: file)
            }
            // A step that the phase does not have.
            let beyond = run.checkpoints.appending(path: "step-9")
            try FileManager.default.copyItem(at: run.checkpoints.appending(path: "step-2"), to: beyond)
            try set("version", to: 9, in: beyond.appending(path: "state.json"))
            try await expectRefusal(
                configuration, run, source: beyond.appending(path: "state.json"), key: "version")
            try FileManager.default.removeItem(at: beyond)
            // Undamaged, it goes on.
            try await TestRun.run(configuration, resuming: true)
        }
    }

    /// Of every phase that is finished and every test set; what a run may write is taken.
    @Test func everyFigureOfAResultIsChecked() async throws {
        try await withRun(steps: 1) { _, run in
            let phases: [RunPhase] = [.base, .rlkd]
            let tests = ["same", "larger"]
            var state = try RunState.load(run)
            state.finished = phases
            try state.write(to: run.state)
            let whole = try Data(contentsOf: run.state)
            func check(_ key: String, _ value: Any?) throws {
                try set(key, to: value, in: run.state)
                defer { try? whole.write(to: run.state) }
                try RunState.load(run).check(file: run.state, phases: phases, tests: tests)
            }
            let shares = ["accuracy", "passAt1", "passAt8", "structure", "wellFormed"]
            var figures: [(key: String, right: [Any], wrong: [Any])] = [
                ("wallSeconds", [0, 0.5, 1e9], [-0.5, "inf", "-inf", "nan"])
            ]
            for phase in phases.map(\.rawValue) {
                let results = tests.map { "results.\(phase).\($0)" }
                figures += results.flatMap { result in
                    shares.map { share in
                        // The sum of the paper's code goes up to a teacher's steps.
                        let beyond: [Any] = [1 + 1e-9]
                        let isSum = share == "structure"
                        return (
                            "\(result).\(share)", [0, 0.25, 1] + (isSum ? beyond : []),
                            [-1e-9, "nan", "inf", "-inf"] + (isSum ? [] : beyond)
                        )
                    }
                        + ["problems", "structureFailures"].map {
                            ("\(result).\($0)", [0, 1, 1 << 48], [-1, 1 << 48 + 1])
                        }
                }
                figures += [
                    "updates", "learnedTokens", "sampledTokens", "discarded.groups", "discarded.rollouts",
                    "discarded.tokens",
                ].map { ("reports.\(phase).\($0)", [0, 1 << 48], [-1, 1 << 48 + 1]) }
                figures += ["seconds", "discarded.coreSeconds"].map {
                    ("reports.\(phase).\($0)", [0, 1e9], [-1e-9, "inf", "nan"])
                }
                for key in results + ["reports.\(phase)"] {
                    let error = #expect(throws: ConfigurationError.self) { try check(key, nil) }
                    #expect(error?.key == key)
                    #expect(error?.reason == "is missing, though \(phase) is finished")
                }
                // Not all runs sample.
                for share in shares.dropFirst() { try check("results.\(phase).same.\(share)", nil) }
            }
            for (key, right, wrong) in figures {
                for value in right { #expect(throws: Never.self, "\(key) \(value)") { try check(key, value) } }
                for value in wrong {
                    let error = #expect(throws: ConfigurationError.self, "\(key) \(value)") { try check(key, value) }
                    #expect(error?.key == key && error?.source == run.state.path)
                }
            }
            // A share behind one that is not there.
            try set("results.base.same.passAt1", to: nil, in: run.state)
            try set("results.base.same.wellFormed", to: 2, in: run.state)
            let error = #expect(throws: ConfigurationError.self) {
                try RunState.load(run).check(file: run.state, phases: phases, tests: tests)
            }
            #expect(error?.key == "results.base.same.wellFormed")
            try whole.write(to: run.state)
            for finished in [
                ["rlkd"], ["rlkd", "base"], ["base", "base"], ["base", "sft"], ["base", "rlkd", "rlkd"],
            ] {
                #expect(throws: ConfigurationError.self, "\(finished)") { try check("finished", finished) }
            }
            for finished in [[], ["base"], ["base", "rlkd"]] { try check("finished", finished) }
        }
    }

    /// In words, not in the names of the program's types.
    @Test func aValueOfAnotherKindIsToldInWords() async throws {
        try await withRun { configuration, run in
            let checkpoint = run.checkpoints.appending(path: "step-2/state.json")
            for (file, key, value, reason) in [
                (checkpoint, "phase", "", "is not among the values it takes: “” is none of base, sft, grpo, rlkd"),
                (checkpoint, "dtype", "f8 x", "is not among the values it takes: “f8 x” is none of f32, bf16"),
                (checkpoint, "report", NSNull(), "has no value; it takes an object of named values"),
                (checkpoint, "report", 3, "is not an object of named values"),
                (checkpoint, "optimizerSteps", "1", "is not a whole number"),
                (checkpoint, "optimizerSteps", NSNull(), "has no value; it takes a whole number"),
                (
                    run.state, "finished", ["base", "bass"],
                    "is not among the values it takes: “bass” is none of base, sft, grpo, rlkd"
                ),
                (run.state, "finished", NSNull(), "has no value; it takes a list"),
                (run.state, "results", [1], "is not an object of named values"),
            ] as [(URL, String, Any, String)] {
                let whole = try Data(contentsOf: file)
                try set(key, to: value, in: file)
                let error = await #expect(throws: ConfigurationError.self) {
                    try await TestRun.run(configuration, resuming: true)
                }
                #expect(error?.source == file.path)
                #expect(error?.key.hasPrefix(key) == true)
                #expect(error?.reason.hasPrefix(reason) == true, "\(error.map(\.description) ?? "")")
                try whole.write(to: file)
            }
        }
    }

    /// Foundation does not tell the field; the number leads there, also where others hold it and may.
    @Test func aNumberThatNoFieldTakesIsNamed() async throws {
        try await withRun { configuration, run in
            let checkpoint = run.checkpoints.appending(path: "step-2/state.json")
            let whole = try Data(contentsOf: checkpoint)
            for (key, value, text) in [
                ("optimizerSteps", 7_234.5, "7234.5"), ("seed", -1, "-1"), ("report.updates", 2.5, "2.5"),
                ("report.discarded.tokens", 1e30, "1e+30"),
            ] as [(String, Double, String)] {
                // Before it and behind it in any order of the keys, where every number is right.
                for name in ["report.seconds", "report.discarded.coreSeconds"] {
                    try set(name, to: value, in: checkpoint)
                }
                try set(key, to: value == value.rounded() && value < 0 ? Int(value) : value, in: checkpoint)
                let error = await #expect(throws: ConfigurationError.self) {
                    try await TestRun.run(configuration, resuming: true)
                }
                #expect(error?.source == checkpoint.path)
                #expect(error?.key == key, "\(error.map(\.description) ?? "")")
                #expect(error?.reason.hasPrefix("is the number \(text), which is none that the run wrote") == true)
                try whole.write(to: checkpoint)
            }
            let pipeline = run.checkpoints.appending(path: "step-2/pipeline.json")
            try set("format", to: 1.5, in: pipeline)
            let error = await #expect(throws: ConfigurationError.self) {
                try await TestRun.run(configuration, resuming: true)
            }
            #expect(error?.source == pipeline.path)
            #expect(error?.key == "format")
        }
    }

    @Test func strayDirectoriesDoNotKeepARunFromGoingOn() async throws {
        try await withRun { configuration, run in
            let manager = FileManager.default
            let stray = run.checkpoints.appending(path: "step-99")
            try manager.createDirectory(at: stray, withIntermediateDirectories: false)
            try await TestRun.run(configuration, resuming: true)
            #expect(manager.fileExists(atPath: stray.path))
            #expect(!run.written.contains(stray))
        }
    }

    /// The base student of a finished phase is its last checkpoint, and no earlier one in its stead.
    @Test func aFinishedPhaseWithoutItsLastCheckpointIsRefused() async throws {
        try await withRun { configuration, run in
            let folder = run.checkpoints.appending(path: "base")
            try #require(TestRun.checkpoints(folder).count > 1)
            try FileManager.default.removeItem(at: folder.appending(path: "step-7"))
            try await expectRefusal(configuration, run, source: folder, key: "")
        }
    }

    /// With what to do, which then works.
    @Test func aCheckpointWithoutAFileIsNamedWithWhatToDo() async throws {
        try await withRun(steps: 4) { configuration, run in
            try #require(TestRun.checkpoints(run.checkpoints) == ["step-2", "step-4"])
            for (step, remedy) in [(4, "the run goes on from the one before"), (2, "the phase begins again")] {
                let checkpoint = Checkpoint.place(of: step, in: run.checkpoints)
                for name in ["config.json", "model.safetensors", "optimizer.safetensors", "pipeline.json"] {
                    let file = checkpoint.appending(path: name)
                    let whole = try Data(contentsOf: file)
                    try FileManager.default.removeItem(at: file)
                    try await expectRefusal(
                        configuration, run, source: file, key: "",
                        remedy: "cannot be read: No such file or directory; if its checkpoint is removed, \(remedy)")
                    try whole.write(to: file)
                }
                try FileManager.default.removeItem(at: checkpoint)
            }
            try await TestRun.run(configuration, resuming: true)
            #expect(TestRun.checkpoints(run.checkpoints) == ["step-2", "step-4"])
        }
    }

    /// Later phases stand on the last checkpoint of one that is finished, so that removing it would help nobody.
    @Test func aDamagedCheckpointOfAFinishedPhaseIsToBeRestored() async throws {
        try await withRun { configuration, run in
            let checkpoint = run.checkpoints.appending(path: "base/step-7")
            for name in ["config.json", "model.safetensors"] {
                let file = checkpoint.appending(path: name)
                let whole = try Data(contentsOf: file)
                try FileManager.default.removeItem(at: file)
                try await expectRefusal(
                    configuration, run, source: file, key: "",
                    remedy: "cannot be read: No such file or directory; restore it, or begin another run")
                try whole.write(to: file)
            }
        }
    }

    /// Rollouts that wait in a checkpoint are not forgotten because their file cannot be read.
    @Test func finishedRolloutsThatCannotBeReadAreNamed() async throws {
        try await withRun { configuration, run in
            let file = run.checkpoints.appending(path: "step-2/pipeline.json")
            let manager = FileManager.default
            let aside = file.deletingLastPathComponent().appending(path: "aside.json")
            try manager.moveItem(at: file, to: aside)
            try manager.createSymbolicLink(at: file, withDestinationURL: run.url.appending(path: "nowhere"))
            try await expectRefusal(configuration, run, source: file, key: "")
            try manager.removeItem(at: file)
            try manager.createSymbolicLink(at: file, withDestinationURL: aside)
            try await TestRun.run(configuration, resuming: true)
        }
    }

    @Test func aStateThatIsNoFileIsRefused() async throws {
        try await withRun { configuration, run in
            let manager = FileManager.default
            try manager.removeItem(at: run.state)
            try await expectRefusal(configuration, run, source: run.state, key: "")
            try manager.createSymbolicLink(atPath: run.state.path, withDestinationPath: "state.json")
            try await expectRefusal(configuration, run, source: run.state, key: "")
            try manager.removeItem(at: run.state)
            try manager.createDirectory(at: run.state, withIntermediateDirectories: false)
            try await expectRefusal(configuration, run, source: run.state, key: "")
            try manager.removeItem(at: run.state)
            #expect(mkfifo(run.state.path, 0o600) == 0)
            try await expectRefusal(configuration, run, source: run.state, key: "")
        }
    }

    /// A pipe would be waited for.
    @Test func aConfigurationThatIsNoFileIsRefused() async throws {
        try await withRun(steps: 1) { configuration, run in
            try FileManager.default.removeItem(at: run.configuration)
            #expect(mkfifo(run.configuration.path, 0o600) == 0)
            try await expectRefusal(configuration, run, source: run.configuration, key: "")
            #expect(throws: ConfigurationError.self) { try TrainingRun.configurationFile(in: run.url.path) }
        }
    }

    @Test func lostMetricsAreRefused() async throws {
        try await withRun { configuration, run in
            try FileManager.default.removeItem(at: run.metrics)
            try await expectRefusal(configuration, run, source: run.metrics, key: "")
            try Data().write(to: run.metrics)
            try await expectRefusal(configuration, run, source: run.metrics, key: "")
        }
    }

    @Test func anEditedConfigurationIsRefused() async throws {
        try await withRun { configuration, run in
            let whole = try String(contentsOf: run.configuration, encoding: .utf8)
            for (text, key) in [
                (whole.replacing("groupSize: 3", with: "groupSize: 4"), "reinforcement.groupSize"),
                (whole.replacing("seed: 3", with: "seed: 30"), "seed"),
                (String(whole.prefix { $0 != "\n" }) + "\n", "arms"),
            ] {
                try #require(text != whole)
                try Data(text.utf8).write(to: run.configuration)
                var read = try ConfigurationReader.read(file: run.configuration)
                read.output = configuration.output
                try await expectRefusal(read, run, source: run.configuration, key: key)
            }
            // An older run's state holds no configuration.
            try Data(whole.utf8).write(to: run.configuration)
            try set("configuration", to: nil, in: run.state)
            try await TestRun.run(configuration, resuming: true)
            #expect(try RunState.load(run).configuration == whole)
        }
    }

    @Test func aDirectoryIsOneRunsAtATime() async throws {
        try await withRun { configuration, run in
            var lock: RunLock? = try RunLock(run.url)
            try await expectRefusal(configuration, run, source: run.url, key: "output")
            let error = #expect(throws: ConfigurationError.self) { try RunLock(run.url) }
            #expect(error?.reason == "is in use by another run")
            #expect(lock != nil)
            lock = nil
            // What a kill leaves is no lock.
            try Data().write(to: run.url.appending(path: RunLock.name))
            try await TestRun.run(configuration, resuming: true)
            #expect(!FileManager.default.fileExists(atPath: run.url.appending(path: RunLock.name).path))
        }
    }

    @Test func whatCannotBeWrittenIsNamedInTheSystemsWords() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appending(path: "file")
            try Data().write(to: file)
            for write in [
                { try PhaseReport().write(to: $0) }, { try Data().write(inPlaceOf: $0) },
                { url in try FileError.writing(url) { try FileHandle(forWritingTo: url).close() } },
            ] as [(URL) throws -> Void] {
                let place = file.appending(path: "below")
                let error = #expect(throws: FileError.self) { try write(place) }
                // Foundation says either, and prints errors over several lines.
                let reasons = ["Not a directory", "No such file or directory"]
                #expect(
                    reasons.map { "\(place.path): cannot be written: \($0)" }.contains(error?.description ?? ""))
            }
            let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
            let error = #expect(throws: FileError.self) {
                try FileError.writing(file) { try full.write(contentsOf: Data([1])) }
            }
            #expect(error?.description == "\(file.path): cannot be written: No space left on device")
        }
    }
}
