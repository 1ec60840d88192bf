import Foundation
import Models
import Testing
import Trajectories

@testable import Training

/// Runs that were cut off at some instant and resumed end as if nothing had happened.
@Suite(.timeLimit(.minutes(2))) struct ResumeTests {
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
        var state = try RunState.load(run.state)
        let index = state.finished.firstIndex(of: instant.phase) ?? 0
        state.finished.removeSubrange(index...)
        state.results = state.results.filter { state.finished.map(\.rawValue).contains($0.key) }
        state.reports = state.reports.filter { state.finished.map(\.rawValue).contains($0.key) }
        if state.finished.isEmpty {
            try manager.removeItem(at: run.state)
        } else {
            try state.write(to: run.state)
        }
    }

    /// Removes what a kill may leave: checkpoints and files that were being written, whose names begin with a dot.
    static func sweep(_ directory: URL) throws {
        for name in try FileManager.default.subpathsOfDirectory(atPath: directory.path) {
            let file = directory.appending(path: name)
            guard file.lastPathComponent.hasPrefix("."), FileManager.default.fileExists(atPath: file.path) else {
                continue
            }
            try FileManager.default.removeItem(at: file)
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
                try Self.sweep(resumed)
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
