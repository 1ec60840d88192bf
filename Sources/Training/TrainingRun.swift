import Foundation
import Kernels
import Learning
import Logging
import Models
import Pipelines
import StructureRewards
import Trajectories
import Yams

/// One run: the base student, the arms that train it, their evaluation, and everything written on the way.
public struct TrainingRun: Sendable {
    public let configuration: RunConfiguration
    private let resuming: Bool
    private let logger: Logger
    private let threads: Int

    /// What a finished or interrupted run leaves.
    public struct Outcome: Sendable {
        public var directory: URL
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

    /// Does all the work.
    ///
    /// - Throws: `ConfigurationError` and the errors of unreadable files before any work is done; `FailedUpdate` when a loss or
    ///   gradient is not a number, after the batch was saved.
    public func run() async throws -> Outcome {
        try configuration.validate()
        let material = try RunMaterial(configuration)
        let directory = try RunDirectory.create(for: configuration, resuming: resuming)
        try Data(YAMLEncoder().encode(configuration).utf8).write(to: directory.configuration, options: .atomic)
        var state = resuming ? try RunState.load(directory.state) : RunState()
        let recorder = try RunRecorder(directory: directory, configuration: configuration, logger: logger)
        if material.task.dropped > 0 {
            logger.notice("dropped \(material.task.dropped) rows that do not fit the student's context")
        }
        let phases = [.base] + configuration.arms.map { RunPhase($0) }
        var base = material.student
        let began = ContinuousClock.now
        let before = state.wallSeconds
        for phase in phases {
            let runner = PhaseRunner(
                phase: phase, configuration: configuration, material: material, directory: directory,
                recorder: recorder, threads: threads, isLast: phase == phases.last, logger: logger)
            if state.finished.contains(phase) {
                if phase == .base { base = try runner.finishedParameters() }
                continue
            }
            let result = try await runner.run(from: base, state: state, resuming: resuming)
            state.wallSeconds = before + (ContinuousClock.now - began).seconds
            guard let finished = result else {
                try state.write(to: directory.state)
                return Outcome(directory: directory.url, table: "", wasInterrupted: true)
            }
            if phase == .base { base = finished.parameters }
            state.finished.append(phase)
            state.results[phase.rawValue] = finished.results
            state.reports[phase.rawValue] = finished.report
            try state.write(to: directory.state)
        }
        let summary = Summary(state, dropped: material.task.dropped, threads: threads)
        try summary.write(to: directory.summary)
        return Outcome(directory: directory.url, table: summary.table, wasInterrupted: false)
    }
}

/// The student as it starts, and its task.
struct RunMaterial: Sendable {
    let task: any RunTask
    let student: Parameters
    let endTokens: [Int32]

    init(_ configuration: RunConfiguration) throws {
        switch configuration.task.kind {
        case .quantityGraphs:
            guard configuration.student.model == nil else {
                throw ConfigurationError(
                    source: "configuration", key: "student.model",
                    reason: "quantity graphs have a vocabulary of their own; leave it out")
            }
            let task = try QuantityGraphTask(configuration)
            let shape = configuration.student
            let model = ModelConfiguration(
                hiddenSize: shape.hiddenSize, intermediateSize: shape.intermediateSize, layerCount: shape.layers,
                attentionHeadCount: shape.attentionHeads, keyValueHeadCount: shape.keyValueHeads,
                vocabularySize: task.tokenizer.vocabularySize, maxPositions: shape.maxPositions,
                beginningToken: task.tokenizer.beginning, endTokens: task.tokenizer.end.map { [$0] } ?? [])
            self.task = task
            student = try Parameters.randomized(
                configuration: model, seed: configuration.seed, deviation: shape.initialDeviation)
            endTokens = model.endTokens
        case .gsm8k, .jsonl:
            guard let model = configuration.student.model else {
                throw ConfigurationError(
                    source: "configuration", key: "student.model", reason: "names no directory; prose needs a student")
            }
            let loaded = try LoadedStudent(directory: model)
            task = try TextTask(configuration, student: loaded)
            student = loaded.parameters
            endTokens = [loaded.end]
        }
        try checkContext()
    }

    /// Every problem fits the student with its longest completion.
    private func checkContext() throws {
        let context = student.configuration.maxPositions
        for prepared in task.training + task.tests.flatMap(\.problems) {
            let prompt = try task.tokenizer.encode(prepared.problem.question, addSpecialTokens: true).count
            let needed = prompt + max(prepared.maxNewTokens, prepared.maxNewTeacherTokens)
            guard needed <= context else {
                throw ConfigurationError(
                    source: "configuration", key: "student.maxPositions",
                    reason: "is \(context); problem \(prepared.problem.id) needs \(needed)")
            }
        }
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
