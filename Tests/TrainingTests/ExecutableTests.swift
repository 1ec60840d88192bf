import Foundation
import Pipelines
import Testing
import UnixSignals

@testable import Training

/// The real executable, killed and interrupted.
@Suite(.timeLimit(.minutes(30)), .enabled(if: Executable.isBuilt, "rlkd is not beside the tests"))
struct ExecutableTests {
    /// Killed as soon as each of these is there, at whatever instant that finds it.
    @Test func aKilledRunEndsInTheSameBits() async throws {
        try await withTemporaryFolder { folder in
            let whole = folder.appending(path: "whole")
            try await TestRun.run(TestRun.configuration(output: whole))

            let output = folder.appending(path: "killed")
            let file = folder.appending(path: "run.yaml")
            try Data(TestRun.configuration(output: output).yaml().utf8).write(to: file)
            var isFirst = true
            for milestone in [
                "config.yaml", "checkpoints/base/step-3", "checkpoints/base/step-7", "checkpoints/step-2",
                "checkpoints/step-4",
            ] {
                let process = try Executable.start(
                    ["train", file.path, "output=\(output.path)"] + (isFirst ? [] : ["--resume"]))
                isFirst = false
                try await process.wait(for: output.appending(path: milestone))
                process.send(SIGKILL)
                await process.end()
            }
            let process = try Executable.start(["train", "--resume", "output=\(output.path)"])
            await process.end()
            #expect(process.status == 0)
            try ResumeTests.expectSwept(output)
            try TestRun.expectSame(whole, output)
        }
    }

    @Test(arguments: StageSupervisor.signals.map(\.rawValue))
    func anInterruptedRunSavesWhatItReached(signal: Int32) async throws {
        try await withTemporaryFolder { folder in
            let output = folder.appending(path: "run")
            let file = folder.appending(path: "run.yaml")
            var configuration = TestRun.configuration(output: output)
            configuration.warmup.steps = 1_000_000
            configuration.checkpoints.imitationEvery = 1_000_000
            configuration.steps = 1_000_000
            configuration.checkpoints.every = 1_000_000
            configuration.checkpoints.rolloutsEvery = 1_000_000
            try Data(configuration.yaml().utf8).write(to: file)
            for resume in [[], ["--resume"]] {
                let before = Executable.lines(output.appending(path: "metrics.jsonl"))
                let process = try Executable.start(["train", file.path, "output=\(output.path)"] + resume)
                try await process.wait(forLines: before + 3, in: output.appending(path: "metrics.jsonl"))
                process.send(signal)
                await process.end()
                #expect(process.status == 130)
                try expectSaved(output, in: "checkpoints/base")
            }

            // The same in a reinforcement arm.
            configuration.warmup.steps = 2
            configuration.output = folder.appending(path: "arm").path
            try Data(configuration.yaml().utf8).write(to: file)
            let process = try Executable.start(["train", file.path])
            try await process.wait(forLines: 5, in: folder.appending(path: "arm/metrics.jsonl"))
            process.send(signal)
            await process.end()
            #expect(process.status == 130)
            try expectSaved(folder.appending(path: "arm"), in: "checkpoints", besides: 2)
        }
    }

    /// There is one checkpoint a sitting, the newest that of the last line of the metrics.
    private func expectSaved(_ output: URL, in folder: String, besides: Int = 0) throws {
        let checkpoint = try #require(try Checkpoint.latest(in: output.appending(path: folder)))
        let metrics = try TestRun.metrics(output)
        #expect(checkpoint.state.version.rawValue == metrics.count - besides)
        #expect(metrics.last?["version"] as? Int == checkpoint.state.version.rawValue)
        #expect(checkpoint.state.report.updates == metrics.count - besides)
    }

    @Test func anInterruptedEvaluationEndsAtOnce() async throws {
        try await withTemporaryFolder { folder in
            let output = folder.appending(path: "run")
            let file = folder.appending(path: "run.yaml")
            var configuration = TestRun.configuration(output: output)
            configuration.warmup.steps = 1
            configuration.task.testProblems = 300
            configuration.evaluation.samples = 3000
            try Data(configuration.yaml().utf8).write(to: file)
            let process = try Executable.start(["train", file.path])
            try await process.wait(for: output.appending(path: "checkpoints/base/step-1"))
            while process.isRunning {
                process.send(SIGINT)
                try await Task.sleep(for: .milliseconds(20))
            }
            await process.end()
            #expect(process.status != 0)
            #expect(!FileManager.default.fileExists(atPath: output.appending(path: "summary.json").path))
        }
    }
}

/// `rlkd` as a process.
final class Executable {
    private static var url: URL? {
        let image = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return image.map { URL(filePath: $0).deletingLastPathComponent().appending(path: "rlkd") }
    }

    static var isBuilt: Bool {
        url.map { FileManager.default.isExecutableFile(atPath: $0.path) } ?? false
    }

    static func lines(_ file: URL) -> Int {
        (try? Data(contentsOf: file))?.count { $0 == UInt8(ascii: "\n") } ?? 0
    }

    private let process = Process()

    static func start(_ arguments: [String]) throws -> Executable {
        let executable = Executable()
        executable.process.executableURL = url
        executable.process.arguments = arguments
        executable.process.standardOutput = FileHandle.nullDevice
        executable.process.standardError = FileHandle.nullDevice
        try executable.process.run()
        return executable
    }

    var isRunning: Bool { process.isRunning }

    var status: Int32 { process.terminationStatus }

    func send(_ signal: Int32) {
        kill(process.processIdentifier, signal)
    }

    /// Returns when the file is there, or the process has ended.
    func wait(for file: URL) async throws {
        while process.isRunning && !FileManager.default.fileExists(atPath: file.path) {
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    func wait(forLines lines: Int, in file: URL) async throws {
        while process.isRunning && Self.lines(file) < lines {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func end() async {
        while process.isRunning {
            try? await Task.sleep(for: .milliseconds(2))
        }
        process.waitUntilExit()
    }
}
