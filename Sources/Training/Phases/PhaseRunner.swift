import Files
import Foundation
import Generation
import Kernels
import Learning
import Logging
import Memory
import Models
import Pipelines
import StructureRewards
import Tasks
import Trajectories

/// Runs one phase from its last checkpoint or its start to its end, and evaluates what came out.
struct PhaseRunner: Sendable {
    let phase: RunPhase
    let configuration: RunConfiguration
    let material: RunMaterial
    let directory: RunDirectory
    let recorder: RunRecorder
    let threads: Int
    let isLast: Bool
    let signals: SignalWatch
    let logger: Logger

    struct Finished: Sendable {
        var parameters: Parameters
        var results: [String: EvaluationResult]
        var report: PhaseReport
    }

    private var folder: URL { directory.checkpoints(of: phase, isLast: isLast) }

    private var workers: Int {
        configuration.rolloutWorkers(threads: ProcessorCores.running(threads), material.student.configuration)
    }

    private var steps: Int {
        switch phase {
        case .base: configuration.warmup.steps
        case .sft: configuration.sft.steps
        case .grpo, .rlkd: configuration.steps
        }
    }

    /// What the phase ended in, in a run where it is finished.
    func finishedParameters() throws -> Parameters {
        // Later phases stand on this very checkpoint: no earlier one will do.
        let remedy = "restore it, or begin another run"
        guard let checkpoint = try latest(remedy: remedy), checkpoint.state.version.rawValue == steps else {
            throw ConfigurationError(
                source: folder.path, key: "",
                reason: "has no whole checkpoint of update \(steps), though \(phase.rawValue) is finished")
        }
        return try Self.reading(remedy: remedy) { try checkpoint.model() }
    }

    /// What helps where the last checkpoint of a phase that is to go on is damaged.
    private var remedy: String {
        let isOnly = Checkpoint.steps(in: folder).count <= 1
        return "if its checkpoint is removed, "
            + (isOnly ? "the phase begins again" : "the run goes on from the one before")
    }

    private func latest(remedy: String) throws -> Checkpoint? {
        for stray in Checkpoint.strays(in: folder) {
            logger.warning("\(stray.path): passed over, for it holds no state.json and so is no checkpoint; remove it")
        }
        return try Self.reading(remedy: remedy) {
            let checkpoint = try Checkpoint.latest(in: folder)
            try checkpoint?.check(
                phase: phase, seed: configuration.seed, steps: steps, student: material.student.configuration)
            return checkpoint
        }
    }

    /// Reads a checkpoint's files; where one is damaged the error says what to do as well.
    private static func reading<Result>(remedy: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as FormatError {
            throw ConfigurationError(
                source: error.file, key: error.field, reason: "\(error.reason); \(remedy)")
        } catch let error as MalformedMoments {
            throw ConfigurationError(
                source: error.file, key: error.tensor, reason: "\(error.reason); \(remedy)")
        } catch let error as ConfigurationError where !Checkpoint.isPlace(error.source) {
            throw ConfigurationError(
                source: error.source, line: error.line, key: error.key, reason: "\(error.reason); \(remedy)")
        }
    }

    /// What training came to: the weights, with the adapters beside them where those are what was trained, and the version that they
    /// were published as.
    private struct Trained {
        var parameters: Parameters
        var adapters: Adapters?
        var weights: PolicyWeights
    }

    /// - Returns: nil when a signal ended the phase early; a checkpoint then holds what was reached, as it does after an error.
    func run(from base: Parameters, state runState: RunState, resuming: Bool) async throws -> Finished? {
        // Neither what came before nor the learner, whose memory is free by then, adds to what follows.
        Allocator.returnFreedMemory()
        guard let trained = try await train(from: base, state: runState, resuming: resuming) else { return nil }
        Allocator.returnFreedMemory()
        let problems = material.task.tests.reduce(0) { $0 + $1.problems.count }
        await recorder.note("\(phase.rawValue): evaluating on \(problems) problems")
        let results = try await signals.cancelling { try await evaluate(trained.weights) }
        guard let results else { return nil }
        return Finished(
            parameters: trained.adapters.map { trained.parameters.merging($0) } ?? trained.parameters, results: results,
            report: await recorder.report)
    }

    /// - Returns: nil when a signal ended it early.
    private func train(
        from base: Parameters, state runState: RunState, resuming: Bool
    ) async throws -> Trained? {
        let trace = isLast ? TraceRecorder(threads: threads) : nil
        let executor = ComputeExecutor(threads: threads, trace: trace)
        defer { executor.shutdown() }
        let restored = resuming ? try latest(remedy: remedy) : nil
        if let restored, restored.state.kernels != InstructionSet.current.description {
            logger.warning(
                "the checkpoint was made with \(restored.state.kernels) kernels; with \(InstructionSet.current) the bits differ"
            )
        }
        let first = restored?.state.version ?? PolicyVersion(0)
        let queues = try queues(restored, executor.clock)
        let adapterConfiguration = configuration.adapters(of: phase)
        let state = try Self.reading(remedy: remedy) {
            try restored?.learner(
                adaptersOf: adapterConfiguration == nil ? nil : base, configuration: adapterConfiguration)
        }
        if resuming { try await recorder.rewind(runState, resuming: phase, after: first.rawValue) }
        let adapters =
            try state?.adapters
            ?? adapterConfiguration.map {
                try Adapters.randomized($0, of: base.configuration, seed: configuration.seed)
            }
        // Weights that stand still need no copy.
        let parameters = adapters == nil ? state?.parameters ?? base.copy() : base
        let rotary = RotaryTable(parameters.configuration, positions: material.positions)
        let store = PolicyStore(PolicyWeights(parameters, adapters: adapters, version: first, rotary: rotary))
        let learner = Learner(
            parameters: parameters, adapters: adapters, version: first, configuration: configuration.learner(of: phase),
            reference: base, store: store, lane: executor.lane(.learner), threads: threads,
            cores: ProcessorCores.available.count)
        if let state { await learner.restore(state) }
        await recorder.begin(phase, at: first.rawValue, of: steps, report: restored?.state.report)
        let isComplete: Bool
        do {
            isComplete = try await train(learner, store, executor, queues, from: first.rawValue)
        } catch {
            await recorder.close(executor.clock.report())
            // The error says more than a failure to save would. A learner whose weights are no numbers gives none to save.
            try? await save(learner, queues, keep: nil)
            throw error
        }
        await recorder.close(executor.clock.report())
        try await save(learner, queues, keep: configuration.checkpoints.keep)
        try await report(executor, queues, trace, from: first, isIdle: store.version == first)
        // What was trained is saved.
        guard isComplete, !signals.isStopping else { return nil }
        return Trained(parameters: parameters, adapters: adapters, weights: store.current)
    }

    /// Shows where the core time went and what became of the work that no update has consumed.
    private func report(
        _ executor: ComputeExecutor, _ queues: ReinforcementPhase.Queues?, _ trace: TraceRecorder?,
        from first: PolicyVersion, isIdle: Bool
    ) async throws {
        let stalls = executor.clock.report()
        guard !isIdle || !stalls.discards.isEmpty else {
            await noteMissingTimeline()
            return
        }
        var text = "\(phase.rawValue), where the core time went:\n\(stalls.table)"
        if let kept = queues?.unconsumed, kept.groupCount > 0 {
            text +=
                "\nkept for --resume: \(kept.groupCount) groups, \(kept.rolloutCount) rollouts, "
                + "\(kept.tokenCount) tokens"
        }
        if let trace {
            try trace.write(to: directory.trace)
            if first != PolicyVersion(0) {
                text += "\ntrace.json begins with update \(first.rawValue + 1), where the run was resumed"
            }
            if trace.droppedSpans > 0 {
                text += "\ntrace.json lacks the oldest \(trace.droppedSpans) spans: its rings were full"
            }
        }
        await recorder.note(text)
    }

    /// Tells, where no update was left to the phase that the timeline is of, that there is none, or an earlier sitting's.
    func noteMissingTimeline() async {
        guard isLast else { return }
        let isThere = FileManager.default.fileExists(atPath: directory.trace.path)
        await recorder.note(
            "trace.json \(isThere ? "stays as it was" : "is not written"): \(phase.rawValue) had no update to make")
    }

    /// What the stages pass on, with what waited where the run was left; nil for imitation.
    ///
    /// - Throws: `ConfigurationError` naming what in the checkpoint cannot be used.
    func queues(_ restored: Checkpoint?, _ clock: StallClock) throws -> ReinforcementPhase.Queues? {
        guard phase.isReinforcement else { return nil }
        var state = PipelineState()
        if let restored {
            let settings = configuration.reinforcement
            let check = PipelineStateCheck(
                file: restored.pipeline, version: restored.state.version, groupsPerBatch: settings.problemsPerBatch,
                groupSize: settings.groupSize, maxStaleness: configuration.maxStaleness, steps: steps,
                vocabularySize: material.student.configuration.vocabularySize,
                maxPositions: material.positions,
                request: ReinforcementPhase.requests(material.task.training, seed: configuration.seed))
            state = try Self.reading(remedy: remedy) {
                let state = try PipelineState.read(restored.pipeline)
                try check.check(state)
                return state
            }
        }
        return ReinforcementPhase.Queues(
            capacity: configuration.reinforcement.queueCapacity, clock: clock, restoring: state)
    }

    private func train(
        _ learner: Learner, _ store: PolicyStore, _ executor: ComputeExecutor, _ queues: ReinforcementPhase.Queues?,
        from first: Int
    ) async throws -> Bool {
        if let queues {
            try await reinforce(learner, store, executor, queues, from: first)
        } else {
            try await imitate(learner, executor, from: first)
        }
    }

    // MARK: Imitation

    private func imitate(_ learner: Learner, _ executor: ComputeExecutor, from first: Int) async throws -> Bool {
        let settings = phase == .base ? configuration.warmup : configuration.sft
        let imitation = ImitationPhase(
            learner: learner, executor: executor, batchSize: settings.batchSize, steps: first..<max(first, steps),
            source: demonstrations,
            observer: { update in
                try await recorder.record(phase, update, of: steps, stalls: executor.clock.report())
                // Passes grow with the batches; for seconds the allocator would keep what they grew out of beside what they grew into.
                Allocator.returnFreedMemory()
                if update.version.rawValue % configuration.checkpoints.imitationEvery == 0 {
                    try await save(learner, nil, keep: configuration.checkpoints.keep)
                }
            })
        do {
            let ended: Void? = try await signals.cancelling { [signals] in
                try await imitation.run { signals.isStopping }
            }
            return ended != nil && !signals.isStopping
        } catch let error as FailedImitation {
            throw try await recorder.save(failed: error.demonstrations, of: phase, cause: error.cause)
        }
    }

    private var demonstrations: ImitationPhase.Source {
        if phase == .base {
            return { [task = material.task] position in try task.warmupDemonstration(at: position) }
        }
        let traced = material.task.training.compactMap(\.demonstration)
        let order = ProblemOrder(count: traced.count, seed: configuration.seed)
        return { traced[order.problem(at: $0).index] }
    }

    // MARK: Reinforcement

    private func reinforce(
        _ learner: Learner, _ store: PolicyStore, _ executor: ComputeExecutor, _ queues: ReinforcementPhase.Queues,
        from first: Int
    ) async throws -> Bool {
        let reinforcement = ReinforcementPhase(
            configuration: configuration.reinforcement, maxStaleness: configuration.maxStaleness,
            workers: workers,
            seed: configuration.seed, learner: learner, store: store, executor: executor,
            tokenizer: material.task.tokenizer, endTokens: material.endTokens, problems: material.task.training,
            longestSequence: material.longestSequence,
            scorer: scorer(countsStructure: phase == .rlkd), steps: first..<max(first, steps),
            observer: { update, groups in
                try await recorder.record(
                    phase, update, groups: groups, of: steps, stalls: executor.clock.report())
                // As in imitation.
                Allocator.returnFreedMemory()
                if update.version.rawValue % configuration.checkpoints.every == 0 {
                    try await save(learner, queues, keep: configuration.checkpoints.keep)
                }
            })
        let ending = await reinforcement.run(queues, signals: signals.signals)
        switch ending {
        case .finished:
            return true
        case .interrupted:
            return false
        case .failed(_, let error):
            if let failed = error as? FailedUpdate {
                throw try await recorder.save(failed: failed.groups, of: phase, cause: failed.cause)
            }
            throw error
        }
    }

    // MARK: Parts

    private func scorer(countsStructure: Bool) -> Scorer {
        configuration.reward.makeScorer(
            reader: material.task.reader, verifier: material.task.verifier, countsStructure: countsStructure)
    }

    /// - Throws: `DivergedRun`; of a student as it came from a directory, `ConfigurationError`.
    private func evaluate(_ weights: PolicyWeights) async throws -> [String: EvaluationResult] {
        do {
            return try await results(of: weights)
        } catch let error as NonFiniteEvaluation {
            guard phase == .base, weights.version == PolicyVersion(0), let model = configuration.student.model else {
                throw DivergedRun(
                    finding: .evaluation(error, step: weights.version.rawValue), phase: phase,
                    configuration: configuration)
            }
            throw ConfigurationError(
                source: ConfigurationError.configuration, key: "student.model", reason: "is \(model): \(error)")
        }
    }

    private func results(of weights: PolicyWeights) async throws -> [String: EvaluationResult] {
        // Its own: the timeline is written by now, and gone with the one that trained.
        let executor = ComputeExecutor(threads: threads)
        defer { executor.shutdown() }
        var evaluator = Evaluator(
            tokenizer: material.task.tokenizer, scorer: scorer(countsStructure: true),
            samples: configuration.evaluation.samples,
            temperature: configuration.evaluation.temperature, seed: configuration.seed,
            endTokens: material.endTokens, batchCapacity: MemoryNeed.evaluationBatch)
        let count = material.task.tests.reduce(0) { $0 + evaluator.completions(of: $1) }
        evaluator.progress = { [recorder, phase] in await recorder.evaluated(phase, $0, of: count) }
        var results: [String: EvaluationResult] = [:]
        for set in material.task.tests {
            results[set.name] = try await evaluator.evaluate(
                weights, on: set, imitatingTeacher: phase == .sft, executor: executor)
        }
        return results
    }

    /// Writes a checkpoint with the finished work that the queues hold.
    func save(_ learner: Learner, _ queues: ReinforcementPhase.Queues?, keep: Int?) async throws {
        try Checkpoint.write(
            try await learner.state(), base: basePath, pipeline: queues?.unconsumed, phase: phase,
            seed: configuration.seed, report: await recorder.report, tokenizer: material.task.tokenizer,
            generation: material.generation, folder: folder, keep: keep)
    }

    /// Where the weights are that the phase starts from; nil for fresh ones.
    private var basePath: String? {
        guard phase != .base else { return configuration.student.model }
        return Checkpoint.place(
            of: configuration.warmup.steps, in: directory.checkpoints(of: .base, isLast: false)
        ).standardizedFileURL.path
    }
}
