import Foundation
import Kernels
import Learning
import Logging
import Models
import Pipelines
import StructureRewards
import Trajectories
import UnixSignals

/// One run: the base student, the arms that train it, their evaluation, and everything written on the way.
public struct TrainingRun: Sendable {
    public let configuration: RunConfiguration
    private let resuming: Bool
    let logger: Logger
    private let threads: Int

    /// What a finished or interrupted run leaves.
    public struct Outcome: Sendable {
        public var directory: URL
        /// What it holds for its user.
        public var written: [URL]
        /// Every arm's figures.
        public var table: String
        /// A signal ended the run; `--resume` goes on.
        public var wasInterrupted: Bool
    }

    public init(configuration: RunConfiguration, resuming: Bool, logger: Logger) {
        self.configuration = configuration
        self.resuming = resuming
        self.logger = logger
        threads = configuration.threads == 0 ? ProcessorCores.available.count : configuration.threads
    }

    /// The configuration of the run in a directory, to resume it.
    ///
    /// - Throws: `ConfigurationError` where no run has begun.
    public static func configurationFile(in output: String) throws -> URL {
        let directory = RunDirectory(url: URL(filePath: output))
        try directory.requireBegun()
        return directory.configuration
    }

    /// Does all the work. The first SIGINT, SIGTERM or SIGHUP, whenever it comes, lets what is in flight finish, saves it and stops before
    /// the next phase; the second cancels.
    ///
    /// - Throws: `ConfigurationError` and the errors of unreadable files before any work is done; `DivergedRun` when a loss, a
    ///   gradient or a weight is not a number, after the batch was saved, and where the run's own training led to weights that
    ///   give no numbers; `ConfigurationError` where those of `student.model` give none.
    public func run() async throws -> Outcome {
        try await run(signals: UnixSignalsSequence(trapping: StageSupervisor.signals))
    }

    /// The same with signals from elsewhere.
    ///
    /// - Parameter signals: each element counts as one signal, whichever it is.
    func run<Signals: AsyncSequence & Sendable>(signals: Signals) async throws -> Outcome
    where Signals.Failure == Never, Signals.Element: Sendable {
        let watch = SignalWatch()
        return try await withThrowingTaskGroup(of: Outcome?.self) { group in
            group.addTask {
                for await _ in signals { watch.receive() }
                return nil
            }
            group.addTask { try await run(watch) }
            defer { group.cancelAll() }
            while let ended = try await group.next() {
                if let outcome = ended { return outcome }
            }
            throw CancellationError()
        }
    }

    /// The same under a watch of the caller's.
    func run(_ signals: SignalWatch) async throws -> Outcome {
        try configuration.validate()
        let material = try RunMaterial(configuration, logger: logger)
        let directory = try RunDirectory.create(for: configuration, resuming: resuming)
        let lock = try RunLock(directory.url)
        defer { withExtendedLifetime(lock) {} }
        let phases = [.base] + configuration.arms.map { RunPhase($0) }
        var state = RunState()
        if resuming {
            state = try RunState.load(directory)
            try ResumedConfiguration.check(configuration, state, in: directory)
            try state.check(file: directory.state, phases: phases, tests: material.task.tests.map(\.name))
            if state.configuration == nil && directory.hasCheckpoints {
                logger.notice("the run is of an earlier version: config.yaml is taken as what it was started with")
            }
        }
        state.configuration = try state.configuration ?? configuration.yaml()
        if resuming {
            // A run that has nothing left to write would not come to it.
            directory.sweep()
        } else {
            try directory.begin(configuration, state)
        }
        let recorder = RunRecorder(directory: directory, configuration: configuration, logger: logger)
        if material.task.dropped.count > 0 {
            logger.notice("dropped rows that do not fit the student's context: \(material.task.dropped)")
        }
        var base = material.student
        let began = ContinuousClock.now
        let before = state.wallSeconds
        func interrupted() throws -> Outcome {
            state.wallSeconds = before + (ContinuousClock.now - began).seconds
            try state.write(to: directory.state)
            return Outcome(
                directory: directory.url, written: directory.written, table: "", wasInterrupted: true)
        }
        for phase in phases {
            let runner = PhaseRunner(
                phase: phase, configuration: configuration, material: material, directory: directory,
                recorder: recorder, threads: threads, isLast: phase == phases.last, signals: signals,
                logger: logger)
            if state.finished.contains(phase) {
                if phase == .base { base = try runner.finishedParameters() }
                await runner.noteMissingTimeline()
                continue
            }
            guard !signals.isStopping else { return try interrupted() }
            guard let finished = try await runner.run(from: base, state: state, resuming: resuming) else {
                return try interrupted()
            }
            state.wallSeconds = before + (ContinuousClock.now - began).seconds
            if phase == .base { base = finished.parameters }
            state.finished.append(phase)
            state.results[phase.rawValue] = finished.results
            state.reports[phase.rawValue] = finished.report
            try state.write(to: directory.state)
        }
        let summary = Summary(state, dropped: material.task.dropped.count, threads: threads)
        try summary.write(to: directory.summary)
        return Outcome(
            directory: directory.url, written: directory.written,
            table: summary.table(samples: configuration.evaluation.samples), wasInterrupted: false)
    }
}

extension Duration {
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
