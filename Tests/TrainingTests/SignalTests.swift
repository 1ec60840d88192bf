import Foundation
import Logging
import Pipelines
import Synchronization
import Testing
import UnixSignals

@testable import Training

/// A signal at any moment of a run.
@Suite(.timeLimit(.minutes(30))) struct SignalTests {
    /// Sends a signal, as the run's own watch gets it, when the run says a thing: so the moment does not depend on time.
    private struct Trigger: LogHandler {
        let text: String
        let watch: SignalWatch
        let signals: Int
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            guard "\(event.message)".hasPrefix(text) else { return }
            for _ in 0..<signals { watch.receive() }
        }
    }

    private func run(
        _ configuration: RunConfiguration, signals: Int = 1, at text: String?
    ) async throws -> TrainingRun.Outcome {
        let watch = SignalWatch()
        if text == nil { watch.receive() }
        let logger = Logger(label: "test") { _ in Trigger(text: text ?? "none", watch: watch, signals: signals) }
        return try await TrainingRun(configuration: configuration, resuming: false, logger: logger).run(watch)
    }

    /// What the run says at the moment, and which phases are finished when it has stopped; nil is before it begins.
    static let moments: [(text: String?, finished: [RunPhase])] = [
        (nil, []), ("base: updates", []), ("base, where", []), ("base: evaluating", [.base]), ("sft: updates", [.base]),
        ("sft, where", [.base]), ("sft: evaluating", [.base, .sft]), ("rlkd: updates", [.base, .sft]),
        ("rlkd, where", [.base, .sft]),
    ]

    @Test func theFirstSignalStopsTheRunAtAnyMomentAndItGoesOnInTheSameBits() async throws {
        try await withTemporaryFolder { folder in
            func configuration(_ name: String) -> RunConfiguration {
                var configuration = TestRun.configuration(output: folder.appending(path: name))
                configuration.arms = [.sft, .rlkd]
                return configuration
            }
            let whole = folder.appending(path: "whole")
            try await TestRun.run(configuration("whole"))
            for (index, moment) in Self.moments.enumerated() {
                let name = "stopped-\(index)"
                let stopped = try await run(configuration(name), at: moment.text)
                #expect(stopped.wasInterrupted, "\(moment)")
                let directory = RunDirectory(url: folder.appending(path: name))
                #expect(try RunState.load(directory).finished == moment.finished, "\(moment)")
                #expect(!FileManager.default.fileExists(atPath: directory.summary.path), "\(moment)")
                let resumed = try await TestRun.run(configuration(name), resuming: true)
                #expect(!resumed.wasInterrupted)
                // An interrupted sitting saves where it stops, so that there may be checkpoints more.
                let expected = try TestRun.reproducible(whole)
                let files = try TestRun.reproducible(directory.url)
                for (file, data) in expected { #expect(files[file] == data, "\(file) \(moment)") }
                #expect(try TestRun.metrics(whole) == TestRun.metrics(directory.url), "\(moment)")
                #expect(try TestRun.summary(whole).arms == TestRun.summary(directory.url).arms, "\(moment)")
            }
        }
    }

    /// The last evaluation leaves nothing to go on with.
    @Test func aSignalInTheLastEvaluationLetsTheRunFinish() async throws {
        try await withTemporaryFolder { folder in
            let configuration = TestRun.configuration(output: folder.appending(path: "run"))
            let outcome = try await run(configuration, at: "rlkd: evaluating")
            #expect(!outcome.wasInterrupted)
            #expect(try TestRun.summary(outcome.directory).arms.keys.sorted() == ["base", "rlkd"])
        }
    }

    @Test(arguments: ["base: updates", "base: evaluating", "rlkd: updates", "rlkd: evaluating"])
    func theSecondSignalCancels(text: String) async throws {
        try await withTemporaryFolder { folder in
            let configuration = TestRun.configuration(output: folder.appending(path: "run"))
            let outcome = try await run(configuration, signals: 2, at: text)
            #expect(outcome.wasInterrupted)
            let phase = try #require(RunPhase(rawValue: String(text.prefix { $0 != ":" })))
            let state = try RunState.load(RunDirectory(url: outcome.directory))
            #expect(!state.finished.contains(phase))
            let resumed = try await TestRun.run(configuration, resuming: true)
            #expect(!resumed.wasInterrupted)
        }
    }

    @Test func signalsFromTheSystemReachTheRun() async throws {
        try await withTemporaryFolder { folder in
            var long = TestRun.configuration(output: folder.appending(path: "run"))
            long.warmup.steps = 1_000_000
            long.checkpoints.imitationEvery = 1_000_000
            let signals = AsyncStream.makeStream(of: UnixSignal.self)
            signals.continuation.yield(.sigterm)
            let run = TrainingRun(configuration: long, resuming: false, logger: TestRun.quietLogger)
            let outcome = try await run.run(signals: signals.stream)
            #expect(outcome.wasInterrupted)
        }
    }

    // MARK: The watch

    @Test func aListenerLearnsOfWhatCameBefore() async {
        let watch = SignalWatch()
        #expect(!watch.isStopping)
        watch.receive()
        #expect(watch.isStopping)
        let signals = watch.signals
        watch.receive()
        var numbers: [Int] = []
        for await number in signals.prefix(2) { numbers.append(number) }
        #expect(numbers == [1, 2])
    }

    @Test func theFirstSignalLetsWorkFinishAndTheSecondCancelsIt() async throws {
        let watch = SignalWatch()
        watch.receive()
        let finished = try await watch.cancelling { 7 }
        #expect(finished == 7)
        let cancelled: Int? = try await watch.cancelling {
            watch.receive()
            try await Task.sleep(for: .seconds(3600))
            return 7
        }
        #expect(cancelled == nil)
        let late: Int? = try await watch.cancelling { 7 }
        #expect(late == nil)
        await #expect(throws: ConfigurationError.self) {
            try await SignalWatch().cancelling { throw ConfigurationError(source: "", key: "", reason: "") }
        }
    }
}
