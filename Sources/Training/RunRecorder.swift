import Files
import Foundation
import Learning
import Logging
import Pipelines
import Trajectories

/// Writes a run's metrics and sampled rollouts, and shows its progress.
actor RunRecorder {
    nonisolated let directory: RunDirectory
    private let configuration: RunConfiguration
    private let log: MetricsLog
    private let display: ProgressDisplay
    private let began = ContinuousClock.now
    private var phaseBegan = ContinuousClock.now
    private var firstStep = 0
    /// Seconds of the phase before the run was resumed.
    private var secondsBefore = 0.0
    private(set) var report = PhaseReport()
    private var evaluationBegan = ContinuousClock.now
    private var evaluated = 0
    /// What was thrown away before the run was resumed.
    private var discardedBefore = DiscardedWork()

    init(directory: RunDirectory, configuration: RunConfiguration, logger: Logger) {
        self.directory = directory
        self.configuration = configuration
        log = MetricsLog(directory.metrics)
        display = ProgressDisplay(logger: logger)
    }

    /// Leaves out of the metrics what a resumed run will make again. Before that nothing of the run is changed.
    func rewind(_ state: RunState, resuming phase: RunPhase, after step: Int) throws {
        let finished = state.finished.map { ($0, state.reports[$0.rawValue]?.updates ?? 0) }
        try log.rewind(
            finished: Dictionary(finished, uniquingKeysWith: max), resuming: phase, after: step,
            prepare: { try directory.begin(configuration, state) })
    }

    /// - Parameter report: what the phase had come to where it is resumed.
    func begin(_ phase: RunPhase, at step: Int, of steps: Int, report: PhaseReport? = nil) {
        phaseBegan = .now
        firstStep = step
        self.report = report ?? PhaseReport()
        secondsBefore = self.report.seconds
        discardedBefore = self.report.discarded
        display.note(
            step < steps
                ? "\(phase.rawValue): updates \(step + 1) to \(steps)" : "\(phase.rawValue): no update is left to make")
    }

    func note(_ text: String) {
        display.note(text)
    }

    func record(_ phase: RunPhase, _ update: UpdateMetrics, of steps: Int, stalls: StallReport) throws {
        count(update)
        try log.append(StepRecord(phase: phase, seconds: (ContinuousClock.now - began).seconds, update: update))
        let step = update.version.rawValue
        display.show(
            String(
                format: "%@ %d/%d  loss %.4f  |g| %.2f  %.0f tok/s  %@  ETA %@", phase.rawValue, step, steps,
                update.loss,
                update.gradientNorm, Double(report.learnedTokens) / report.seconds, stalls.shares(isImitation: true),
                remaining(step, steps)),
            isLast: step == steps)
    }

    func record(
        _ phase: RunPhase, _ update: UpdateMetrics, groups: [ScoredGroup], of steps: Int, stalls: StallReport
    ) throws {
        count(update)
        let discarded = discardedBefore + stalls.discardedWork
        let news = discarded - report.discarded
        report.discarded = discarded
        report.sampledTokens += groups.reduce(0) { $0 + $1.rollouts.reduce(0) { $0 + $1.rollout.tokens.count } }
        let step = update.version.rawValue
        let rollouts = RolloutRecord(groups, version: PolicyVersion(step - 1), discarded: news)
        try log.append(
            StepRecord(
                phase: phase, seconds: (ContinuousClock.now - began).seconds, update: update, rollouts: rollouts))
        if step % max(1, configuration.checkpoints.rolloutsEvery) == 0 || step == 1 {
            try write(groups, phase: phase, step: step)
        }
        display.show(
            String(
                format: "%@ %d/%d  reward %.2f  accuracy %.2f  structure %.2f  %.0f tok/s  staleness %.2f  %@  ETA %@",
                phase.rawValue, step, steps, rollouts.reward, rollouts.accuracy, rollouts.structure ?? 0,
                Double(report.sampledTokens) / report.seconds, rollouts.staleness, stalls.shares(),
                remaining(step, steps)
            ),
            isLast: step == steps)
    }

    /// Shows how far an evaluation has come.
    ///
    /// - Parameter completions: that have ended since the last call; `count` are to be made.
    func evaluated(_ phase: RunPhase, _ completions: Int, of count: Int) {
        if evaluated == 0 { evaluationBegan = .now }
        evaluated += completions
        let seconds = (ContinuousClock.now - evaluationBegan).seconds / Double(max(1, evaluated))
        display.show(
            "\(phase.rawValue) evaluation \(evaluated)/\(count)  ETA "
                + Self.clock(seconds * Double(count - evaluated)), isLast: evaluated == count)
        if evaluated == count { evaluated = 0 }
    }

    /// Counts what was thrown away since the last update.
    func close(_ stalls: StallReport) {
        report.discarded = discardedBefore + stalls.discardedWork
    }

    /// Keeps the batch whose update came to no numbers, as JSON.
    ///
    /// - Returns: the error that ends the run.
    func save(
        failed batch: some Encodable & Sendable, of phase: RunPhase, cause: NonFiniteUpdate
    ) throws -> DivergedRun {
        let file = directory.url.appending(path: "failed-batch-\(phase.rawValue)-step-\(cause.step).json")
        try batch.write(to: file)
        return DivergedRun(finding: .update(cause, batch: file), phase: phase, configuration: configuration)
    }

    private func count(_ update: UpdateMetrics) {
        report.seconds = secondsBefore + (ContinuousClock.now - phaseBegan).seconds
        report.updates += 1
        report.learnedTokens += update.tokens
    }

    private func remaining(_ step: Int, _ steps: Int) -> String {
        let done = Double(max(1, step - firstStep))
        return Self.clock((report.seconds - secondsBefore) / done * Double(steps - step))
    }

    private static func clock(_ seconds: Double) -> String {
        String(format: "%d:%02d", Int(seconds) / 60, Int(seconds) % 60)
    }

    private func write(_ groups: [ScoredGroup], phase: RunPhase, step: Int) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var text = Data()
        for group in groups {
            text.append(try encoder.encode(group))
            text.append(UInt8(ascii: "\n"))
        }
        try text.write(inPlaceOf: directory.rollouts.appending(path: "\(phase.rawValue)-step-\(step).jsonl"))
    }
}
