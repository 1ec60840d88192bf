import Foundation
import Logging
import Models
import Synchronization
import Testing
import Trajectories

@testable import Training

/// Runs that were cut off at some instant and resumed end as if nothing had happened.
@Suite(.timeLimit(.minutes(30))) struct ResumeTests {
    /// An instant at which a run was killed, told by the checkpoints that it had left.
    struct Instant: Sendable, CustomTestStringConvertible {
        var phase: RunPhase
        /// The newest checkpoint of the phase; nil for none.
        var step: Int?

        var testDescription: String { "\(phase.rawValue) \(step.map(String.init) ?? "begun")" }
    }

    /// Takes away what a finished run would not have had at that instant, and leaves what it might have had.
    private func cut(_ directory: URL, at instant: Instant, isLast: Bool) throws {
        let manager = FileManager.default
        let run = RunDirectory(url: directory)
        try? manager.removeItem(at: run.summary)
        let folder = run.checkpoints(of: instant.phase, isLast: isLast)
        for name in TestRun.checkpoints(folder) {
            guard let step = Int(name.dropFirst("step-".count)), step > (instant.step ?? -1) else { continue }
            try manager.removeItem(at: folder.appending(path: name))
        }
        if !isLast {
            let later = run.checkpoints(of: .rlkd, isLast: true)
            for name in TestRun.checkpoints(later) { try manager.removeItem(at: later.appending(path: name)) }
        }
        // A checkpoint that was not finished, and one that was half removed.
        for name in [".step-99.partial", ".step-0.partial"] {
            let partial = folder.appending(path: name)
            try manager.createDirectory(at: partial, withIntermediateDirectories: true)
            try Data("{".utf8).write(to: partial.appending(path: "state.json"))
        }
        if instant.step != 6 {
            // The last line was being written.
            let metrics = try Data(contentsOf: run.metrics)
            try metrics.dropLast(25).write(to: run.metrics)
        }
        var state = try RunState.load(run)
        let index = state.finished.firstIndex(of: instant.phase) ?? 0
        state.finished.removeSubrange(index...)
        state.results = state.results.filter { state.finished.map(\.rawValue).contains($0.key) }
        state.reports = state.reports.filter { state.finished.map(\.rawValue).contains($0.key) }
        try state.write(to: run.state)
    }

    /// Nothing is left of what a kill leaves: checkpoints and files that were being written, whose names begin with a dot.
    static func expectSwept(_ directory: URL, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let names = try FileManager.default.subpathsOfDirectory(atPath: directory.path)
        #expect(
            names.filter { URL(filePath: $0).lastPathComponent.hasPrefix(".") } == [], sourceLocation: sourceLocation)
    }

    @Test func whatAKillLeavesIsSweptAndNothingElse() async throws {
        try await withTemporaryFolder { folder in
            let run = RunDirectory(url: folder)
            let kept = [
                ".hidden", "notes.txt", "checkpoints/step-4/model.safetensors", "checkpoints/.step-x", "rollouts/a",
            ]
            let leftovers = [
                ".dat.nosync1a2b.c3d", ".trace.json.3F2504E0-4F89-41D3-9A0C-0305E82C3301.partial",
                "rollouts/.dat.nosync77",
                "checkpoints/.step-12.partial/model.safetensors",
                "checkpoints/base/.step-0.partial/state.json", "checkpoints/step-4/.dat.nosync1",
                "checkpoints/base/step-8/.dat.nosync2",
            ]
            for name in kept + leftovers {
                let file = folder.appending(path: name)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data().write(to: file)
            }
            run.sweep()
            for name in kept { #expect(FileManager.default.fileExists(atPath: folder.appending(path: name).path)) }
            for name in leftovers {
                #expect(!FileManager.default.fileExists(atPath: folder.appending(path: name).path))
            }
            #expect(
                !FileManager.default.fileExists(atPath: folder.appending(path: "checkpoints/.step-12.partial").path))
        }
    }

    /// Killed behind its last update, a run has nothing left to write, and is swept all the same.
    @Test func aRunWithoutAnUpdateLeftIsSwept() async throws {
        try await withTemporaryFolder { folder in
            var configuration = TestRun.configuration(output: folder.appending(path: "run"))
            configuration.steps = 1
            try await TestRun.run(configuration)
            let leftover = folder.appending(path: "run/.dat.nosync305A.3FzncE")
            try Data("half".utf8).write(to: leftover)
            try await TestRun.run(configuration, resuming: true)
            #expect(!FileManager.default.fileExists(atPath: leftover.path))
        }
    }

    /// Lines that a run says.
    private final class Lines: LogHandler {
        let said = Mutex<[String]>([])
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        var logLevel: Logger.Level {
            get { .info }
            set {}
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }

        func log(event: LogEvent) {
            said.withLock { $0 += "\(event.message)".split(separator: "\n").map(String.init) }
        }
    }

    /// The timeline is of one sitting: what a resumed run writes of it, or does not, it says in a line.
    @Test func aResumedRunSaysWhatBecomesOfTheTimeline() async throws {
        try await withTemporaryFolder { folder in
            let output = folder.appending(path: "run")
            let configuration = TestRun.configuration(output: output)
            func timelines(resuming: Bool = true) async throws -> [String] {
                let lines = Lines()
                let logger = Logger(label: "test") { _ in lines }
                _ = try await TrainingRun(configuration: configuration, resuming: resuming, logger: logger).run()
                // Nor is it told of updates from behind the last one on.
                #expect(!lines.said.withLock { $0.contains { $0.contains("updates 7 to 6") } })
                return lines.said.withLock { $0.filter { $0.contains("trace.json") } }
            }
            #expect(try await timelines(resuming: false) == [])
            let trace = RunDirectory(url: output).trace
            let whole = try Data(contentsOf: trace)
            // Nothing was left to do, then the evaluation alone; there may be a timeline, or none.
            let none = "rlkd had no update to make"
            #expect(try await timelines() == ["trace.json stays as it was: \(none)"])
            try cut(output, at: Instant(phase: .rlkd, step: 6), isLast: true)
            #expect(try await timelines() == ["trace.json stays as it was: \(none)"])
            #expect(try Data(contentsOf: trace) == whole)
            try FileManager.default.removeItem(at: trace)
            #expect(try await timelines() == ["trace.json is not written: \(none)"])
            try cut(output, at: Instant(phase: .rlkd, step: 6), isLast: true)
            #expect(try await timelines() == ["trace.json is not written: \(none)"])
            #expect(!FileManager.default.fileExists(atPath: trace.path))
            // Half of the updates, then all of them.
            try cut(output, at: Instant(phase: .rlkd, step: 2), isLast: true)
            #expect(try await timelines() == ["trace.json begins with update 3, where the run was resumed"])
            #expect(FileManager.default.fileExists(atPath: trace.path))
            try cut(output, at: Instant(phase: .rlkd, step: nil), isLast: true)
            #expect(try await timelines() == [])
        }
    }

    /// Killed before its configuration was written, a run has not begun.
    @Test func aRunThatHadNotBegunIsStartedAgain() async throws {
        try await withTemporaryFolder { folder in
            var configuration = TestRun.configuration(output: folder.appending(path: "run"))
            configuration.steps = 1
            let run = RunDirectory(url: folder.appending(path: "run"))
            try FileManager.default.createDirectory(at: run.rollouts, withIntermediateDirectories: true)
            try Data("half".utf8).write(to: run.url.appending(path: ".dat.nosync12"))
            let refusal = await #expect(throws: ConfigurationError.self) {
                try await TestRun.run(configuration, resuming: true)
            }
            #expect(refusal?.key == "output")
            #expect(refusal?.reason.contains("start it without --resume") == true)
            #expect(throws: ConfigurationError.self) { try TrainingRun.configurationFile(in: run.url.path) }
            try await TestRun.run(configuration)
            try Self.expectSwept(run.url)
            #expect(try TrainingRun.configurationFile(in: run.url.path) == run.configuration)
            // What is no run's is not touched.
            let foreign = folder.appending(path: "foreign")
            try FileManager.default.createDirectory(at: foreign, withIntermediateDirectories: true)
            for name in [".dat.nosync1", "thesis.txt"] { try Data().write(to: foreign.appending(path: name)) }
            configuration.output = foreign.path
            await #expect(throws: ConfigurationError.self) { try await TestRun.run(configuration) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: foreign.path).count == 2)
        }
    }

    @Test func aResumedRunEndsInTheSameBits() async throws {
        try await withTemporaryFolder { folder in
            let whole = folder.appending(path: "whole")
            try await TestRun.run(TestRun.configuration(output: whole))
            #expect(try TestRun.metrics(whole).count == 13)
            for (index, instant) in [
                Instant(phase: .base, step: nil), Instant(phase: .base, step: 3), Instant(phase: .base, step: 7),
                Instant(phase: .rlkd, step: nil), Instant(phase: .rlkd, step: 2), Instant(phase: .rlkd, step: 4),
                Instant(phase: .rlkd, step: 6),
            ].enumerated() {
                let resumed = folder.appending(path: "resumed-\(index)")
                try FileManager.default.copyItem(at: whole, to: resumed)
                try cut(resumed, at: instant, isLast: instant.phase == .rlkd)
                var configuration = TestRun.configuration(output: resumed)
                // As many as there are on the machine that goes on.
                configuration.threads = 1 + index % 3
                configuration.workers = 1 + index % 2
                try await TestRun.run(configuration, resuming: true)
                try Self.expectSwept(resumed)
                try TestRun.expectSame(whole, resumed)
            }
        }
    }

    @Test func armsThatAreFinishedAreNotRunAgain() async throws {
        try await withTemporaryFolder { folder in
            var configuration = TestRun.configuration(output: folder.appending(path: "run"))
            configuration.arms = [.sft, .grpo]
            configuration.steps = 2
            try await TestRun.run(configuration)
            let before = try TestRun.reproducible(folder.appending(path: "run"))
            let metrics = try TestRun.metrics(folder.appending(path: "run"))
            #expect(Set(metrics.compactMap { $0["phase"] as? String }) == ["base", "sft", "grpo"])
            try await TestRun.run(configuration, resuming: true)
            #expect(try TestRun.reproducible(folder.appending(path: "run")) == before)
            #expect(try TestRun.metrics(folder.appending(path: "run")) == metrics)
        }
    }

    @Test func anotherRunIsNotResumed() async throws {
        try await withTemporaryFolder { folder in
            var configuration = TestRun.configuration(output: folder.appending(path: "run"))
            configuration.steps = 2
            try await TestRun.run(configuration)
            func refusal(_ change: (inout RunConfiguration) -> Void) async -> String? {
                var other = configuration
                change(&other)
                return await #expect(throws: ConfigurationError.self) { try await TestRun.run(other, resuming: true) }?
                    .key
            }
            #expect(await refusal { $0.seed = 4 } == "seed")
            #expect(await refusal { $0.student.hiddenSize = 32 } == "student.hiddenSize")
            #expect(await refusal { $0.arms = [.rlkd, .sft] } == "arms")
            try FileManager.default.removeItem(at: folder.appending(path: "run/checkpoints/base"))
            #expect(await refusal { $0.threads = 1 } == "")
        }
    }
}
