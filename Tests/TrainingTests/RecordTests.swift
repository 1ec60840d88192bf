import Foundation
import Kernels
import Learning
import Models
import Pipelines
import Testing
import Tokenizers
import Trajectories

@testable import Training

@Suite struct MetricsLogTests {
    private func record(_ phase: RunPhase, _ step: Int) throws -> StepRecord {
        let update = """
            {"step": \(step), "version": \(step), "loss": 1.5, "learningRate": 0.1, "gradientNorm": 2, "tokens": 3,
             "entropy": 1, "ratio": 1, "ratioDeviation": 0, "clipFraction": 0, "behaviourDivergence": 0,
             "referenceDivergence": 0}
            """
        return StepRecord(
            phase: phase, seconds: 1, update: try JSONDecoder().decode(UpdateMetrics.self, from: Data(update.utf8)))
    }

    private func lines(_ url: URL) throws -> [String] {
        try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map { line in
            let record = try JSONDecoder().decode(StepRecord.self, from: Data(line.utf8))
            return "\(record.phase) \(record.update.version.rawValue)"
        }
    }

    @Test func rewindingKeepsWhatWillNotBeMadeAgain() async throws {
        try await withTemporaryFolder { folder in
            let url = folder.appending(path: "metrics.jsonl")
            let log = MetricsLog(url)
            for phase in [RunPhase.base, .sft, .rlkd] {
                for step in 1...3 { try log.append(record(phase, step)) }
            }
            let file = try FileHandle(forWritingTo: url)
            try file.seekToEnd()
            try file.write(contentsOf: Data("{\"phase\": \"rlkd\", \"sec\u{e9}".utf8.dropLast(1)))
            try file.close()
            try log.rewind(finished: [.base: 3], resuming: .sft, after: 2)
            #expect(try lines(url) == ["base 1", "base 2", "base 3", "sft 1", "sft 2"])
            // What is appended afterwards is in the file that is in place.
            try log.append(record(.sft, 3))
            #expect(try lines(url).last == "sft 3")
            try log.rewind(finished: [:], resuming: .base, after: 0)
            try log.append(record(.base, 1))
            #expect(try lines(url) == ["base 1"])
        }
    }

    @Test func aDamagedOrLostLogIsRefusedAndLeftAsItIs() async throws {
        try await withTemporaryFolder { folder in
            let url = folder.appending(path: "metrics.jsonl")
            let log = MetricsLog(url)
            for step in 1...3 { try log.append(record(.base, step)) }
            let whole = try String(contentsOf: url, encoding: .utf8)
            let lines = whole.split(separator: "\n").map { $0 + "\n" }
            for (text, line) in [
                (lines[0] + "{}\n" + lines[2], 2), (lines[0] + "\n" + lines[1], 2), ("\0\0\n" + whole, 1),
                (whole.replacing("base", with: "bass"), 1), ("", nil), ("{\"phase\"", nil),
            ] as [(String, Int?)] {
                try Data(text.utf8).write(to: url)
                let error = #expect(throws: ConfigurationError.self) {
                    try log.rewind(finished: [:], resuming: .base, after: 2) { Issue.record("prepared") }
                }
                #expect(error?.source == url.path)
                #expect(error?.line == line)
                #expect(try String(contentsOf: url, encoding: .utf8) == text)
            }
            // One update may be missing where a disk was full.
            try Data(lines[0].utf8).write(to: url)
            #expect(throws: ConfigurationError.self) { try log.rewind(finished: [:], resuming: .base, after: 3) }
            try log.rewind(finished: [:], resuming: .base, after: 2)
            try FileManager.default.removeItem(at: url)
            #expect(throws: ConfigurationError.self) {
                try log.rewind(finished: [.base: 3], resuming: .sft, after: 0)
            }
            #expect(!FileManager.default.fileExists(atPath: url.path))
            try log.rewind(finished: [.base: 0], resuming: .sft, after: 0)
        }
    }

    @Test func aLogIsAppendedTo() async throws {
        try await withTemporaryFolder { folder in
            let url = folder.appending(path: "metrics.jsonl")
            try MetricsLog(url).append(record(.base, 1))
            try MetricsLog(url).append(record(.base, 2))
            #expect(try lines(url) == ["base 1", "base 2"])
        }
    }
}

@Suite struct RunDirectoryTests {
    @Test func aNewRunTakesAnEmptyDirectoryOnly() async throws {
        try await withTemporaryFolder { folder in
            let output = folder.appending(path: "a/b/run")
            let configuration = TestRun.configuration(output: output)
            _ = try RunDirectory.create(for: configuration, resuming: false)
            #expect(FileManager.default.fileExists(atPath: output.appending(path: "rollouts").path))
            // A run that was killed here had not begun.
            let run = try RunDirectory.create(for: configuration, resuming: false)
            try Data().write(to: run.configuration)
            let error = #expect(throws: ConfigurationError.self) {
                try RunDirectory.create(for: configuration, resuming: false)
            }
            #expect(error?.key == "output")
            #expect(error?.source == output.path)
            _ = try RunDirectory.create(for: configuration, resuming: true)
            let file = folder.appending(path: "file")
            try Data("x".utf8).write(to: file)
            for resuming in [false, true] {
                let error = #expect(throws: ConfigurationError.self) {
                    try RunDirectory.create(for: TestRun.configuration(output: file), resuming: resuming)
                }
                #expect(error?.key == "output")
            }
        }
    }

    @Test func nothingIsTouchedBeforeAllIsChecked() async throws {
        try await withTemporaryFolder { folder in
            let output = folder.appending(path: "run")
            var configuration = TestRun.configuration(output: output)
            configuration.student.maxPositions = 20
            let error = await #expect(throws: ConfigurationError.self) { try await TestRun.run(configuration) }
            #expect(error?.key == "student.maxPositions")
            #expect(!FileManager.default.fileExists(atPath: output.path))
        }
    }

    @Test func onlyTheLastArmStandsInCheckpointsItself() {
        let directory = RunDirectory(url: URL(filePath: "/run"))
        #expect(directory.checkpoints(of: .rlkd, isLast: true).path == "/run/checkpoints")
        #expect(directory.checkpoints(of: .base, isLast: false).path == "/run/checkpoints/base")
        #expect(Arm.allCases.map { RunPhase($0).rawValue } == Arm.allCases.map(\.rawValue))
    }
}

@Suite(.timeLimit(.minutes(30))) struct CheckpointTests {
    private let tokenizer: Tokenizer
    private let parameters: Parameters

    init() throws {
        tokenizer = try Tokenizer.closed(symbols: ["a", "b", "c"], beginning: "<s>", end: "</s>")
        parameters = try Parameters.randomized(
            configuration: ModelConfiguration(
                hiddenSize: 16, intermediateSize: 24, layerCount: 1, attentionHeadCount: 2, keyValueHeadCount: 1,
                vocabularySize: tokenizer.vocabularySize, maxPositions: 32, beginningToken: 0, endTokens: [1]), seed: 2)
    }

    private let report = PhaseReport(seconds: 1.5, updates: 2, learnedTokens: 30, sampledTokens: 40)

    /// The states of a learner after each of so many updates.
    private func states(_ count: Int) async throws -> [LearnerState] {
        let executor = ComputeExecutor(threads: 1, pinned: false)
        defer { executor.shutdown() }
        let copy = parameters.copy()
        let learner = Learner(
            parameters: copy, version: PolicyVersion(0),
            configuration: LearnerConfiguration(
                schedule: LearningRateSchedule(peak: 0.01, warmupSteps: 0, totalSteps: 9, shape: .constant)),
            store: PolicyStore(PolicyWeights(copy)), lane: executor.lane(.learner), threads: 1, cores: 1)
        var states: [LearnerState] = []
        for _ in 0..<count {
            _ = try await learner.imitate([Demonstration(prompt: [0, 2, 3], completion: [4, 3, 1])])
            states.append(try await learner.state())
        }
        return states
    }

    private func write(_ state: LearnerState, to folder: URL, keep: Int?) throws {
        try Checkpoint.write(
            state, phase: .sft, seed: 5, report: report, tokenizer: tokenizer, folder: folder, keep: keep)
    }

    private func bits(_ state: LearnerState, in folder: URL) throws -> Data {
        let file = folder.appending(path: "moments-\(UUID().uuidString)")
        try state.writeMoments(to: file)
        let weights = Data(bytes: state.parameters.pointer, count: 4 * state.parameters.count)
        return try Data(contentsOf: file) + weights
    }

    @Test func whatIsWrittenIsRead() async throws {
        let states = try await states(2)
        try await withTemporaryFolder { folder in
            #expect(try Checkpoint.latest(in: folder) == nil)
            try write(states[1], to: folder, keep: 2)
            let read = try #require(try Checkpoint.latest(in: folder))
            #expect(read.state.phase == .sft)
            #expect(read.state.version == PolicyVersion(2))
            #expect(read.state.optimizerSteps == 2)
            #expect(read.state.kernels == InstructionSet.current.description)
            #expect(read.state.seed == 5)
            #expect(read.state.report == report)
            #expect(read.state.dtype == .float32)
            let learner = try read.learner(adaptersOf: nil)
            #expect(learner.version == PolicyVersion(2))
            #expect(learner.optimizerSteps == 2)
            #expect(try bits(learner, in: folder) == bits(states[1], in: folder))
            #expect(learner.parameters.configuration == parameters.configuration)
            let (configuration, _) = try HuggingFaceDirectory.load(folder.appending(path: "step-2"))
            #expect(configuration == parameters.configuration)
            let again = try Tokenizer(directory: folder.appending(path: "step-2"))
            #expect(try again.encode("abc", addSpecialTokens: true) == tokenizer.encode("abc", addSpecialTokens: true))
        }
    }

    @Test func onlyTheNewestAreKept() async throws {
        let states = try await states(5)
        try await withTemporaryFolder { folder in
            for (index, state) in states.prefix(4).enumerated() {
                try write(state, to: folder, keep: 2)
                let newest = (max(0, index - 1)...index).map { "step-\($0 + 1)" }
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == newest)
            }
            try write(states[4], to: folder, keep: nil)
            #expect(TestRun.checkpoints(folder) == ["step-3", "step-4", "step-5"])
        }
    }

    @Test func stepsAreNumbersNotNames() async throws {
        let states = try await states(11)
        try await withTemporaryFolder { folder in
            for index in [1, 8, 9, 10] { try write(states[index], to: folder, keep: 3) }
            #expect(TestRun.checkpoints(folder) == ["step-10", "step-11", "step-9"])
            #expect(try Checkpoint.latest(in: folder)?.state.version == PolicyVersion(11))
        }
    }

    @Test func onlyWholeCheckpointsAreSeen() async throws {
        let states = try await states(2)
        try await withTemporaryFolder { folder in
            try write(states[0], to: folder, keep: 2)
            // As a kill would leave it: everything but the last file, under the name that it has until it is whole.
            let partial = folder.appending(path: ".step-2.partial")
            try FileManager.default.copyItem(at: folder.appending(path: "step-1"), to: partial)
            try FileManager.default.removeItem(at: partial.appending(path: "state.json"))
            for stray in ["step-x", "step-", "other"] {
                try FileManager.default.createDirectory(
                    at: folder.appending(path: stray), withIntermediateDirectories: true)
            }
            #expect(try Checkpoint.latest(in: folder)?.state.version == PolicyVersion(1))
            try write(states[1], to: folder, keep: 2)
            #expect(try Checkpoint.latest(in: folder)?.state.version == PolicyVersion(2))
            #expect(!FileManager.default.fileExists(atPath: partial.path))
        }
    }

    /// Replacing it would leave an instant without.
    @Test func aCheckpointThatIsThereIsLeftAlone() async throws {
        let states = try await states(1)
        try await withTemporaryFolder { folder in
            try write(states[0], to: folder, keep: 1)
            let marker = folder.appending(path: "step-1/marker")
            try Data().write(to: marker)
            try write(states[0], to: folder, keep: 1)
            #expect(FileManager.default.fileExists(atPath: marker.path))
        }
    }

    /// A directory of that name without a state is no checkpoint: neither resumed from, nor counted, nor in the way.
    @Test(arguments: [[], ["model.safetensors", "config.json"]]) func aStrayDirectoryIsNoCheckpoint(
        files: [String]
    ) async throws {
        let states = try await states(3)
        try await withTemporaryFolder { folder in
            try write(states[0], to: folder, keep: 2)
            for name in ["step-2", "step-99"] {
                let stray = folder.appending(path: name)
                try FileManager.default.createDirectory(at: stray, withIntermediateDirectories: true)
                for file in files { try Data([1]).write(to: stray.appending(path: file)) }
            }
            #expect(try Checkpoint.latest(in: folder)?.state.version == PolicyVersion(1))
            #expect(Checkpoint.strays(in: folder).map(\.lastPathComponent) == ["step-2", "step-99"])
            // Its place is taken when the run comes to it, whole.
            try write(states[1], to: folder, keep: 2)
            let read = try #require(try Checkpoint.latest(in: folder))
            #expect(try bits(read.learner(adaptersOf: nil), in: folder) == bits(states[1], in: folder))
            #expect(Checkpoint.strays(in: folder).map(\.lastPathComponent) == ["step-99"])
            try write(states[2], to: folder, keep: 2)
            #expect(Checkpoint.steps(in: folder) == [2, 3])
            #expect(FileManager.default.fileExists(atPath: folder.appending(path: "step-99").path))
        }
    }

    @Test func aDamagedCheckpointIsNamed() async throws {
        let states = try await states(1)
        try await withTemporaryFolder { folder in
            try write(states[0], to: folder, keep: 1)
            let state = folder.appending(path: "step-1/state.json")
            try Data("{}".utf8).write(to: state)
            let error = #expect(throws: ConfigurationError.self) { try Checkpoint.latest(in: folder) }
            #expect(error?.source == state.path)
        }
    }
}
