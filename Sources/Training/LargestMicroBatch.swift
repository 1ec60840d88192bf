import Learning

/// The micro-batch of a phase whose passes, of as many at once as threads work on, take most, whatever the lengths of what comes
/// together.
struct LargestMicroBatch {
    var rows: Double
    var targets: Double
    /// Of its sequences.
    var longest: Int
    /// Micro-batches of an update at most; none where no update is made.
    var microBatches: Int
    /// Bytes of the workspaces of all threads that share passes, each of which serves the phase's micro-batches in turn and has what
    /// the one that asks for most needs: another than this, perhaps.
    private(set) var workspaces = 0.0

    static let none = LargestMicroBatch(rows: 0, targets: 0, longest: 0, microBatches: 0)

    /// - Parameters:
    ///   - memory: of the model that the pass goes through.
    ///   - threads: of the learner.
    ///   - cores: that they run on.
    init(
        _ phase: RunPhase, _ configuration: RunConfiguration, _ lengths: SequenceLengths, memory: ModelMemory,
        threads: Int, cores: Int
    ) {
        let candidates = Self.candidates(phase, configuration, lengths)
        func passes(_ candidate: Self) -> (count: Int, sharing: Int) {
            candidate.passes(memory, threads: threads, cores: cores)
        }
        self =
            candidates.max {
                Double(passes($0).count) * $0.pass(memory) < Double(passes($1).count) * $1.pass(memory)
            } ?? .none
        workspaces = candidates.map { Double(passes($0).sharing) * $0.workspace(memory) }.max() ?? 0
    }

    /// Micro-batches of which one takes most.
    private static func candidates(
        _ phase: RunPhase, _ configuration: RunConfiguration, _ lengths: SequenceLengths
    ) -> [Self] {
        let learner = configuration.learner(of: phase)
        switch phase {
        case .base:
            // Quantity graphs to warm up with are made in their order.
            let isMade = configuration.task.kind == .quantityGraphs
            return [Self(configuration.warmup, lengths.warmup, seed: isMade ? nil : configuration.seed, learner)]
        case .sft: return [Self(configuration.sft, lengths.traced, seed: configuration.seed, learner)]
        case .grpo, .rlkd:
            let settings = configuration.reinforcement
            // Of problems whose completions are cut at the same length, the one with the longest prompt takes most.
            let prompts = Dictionary(
                RolloutLengths(configuration, lengths).longest.map { ($0.newTokens, $0.prompt) }, uniquingKeysWith: max)
            return configuration.steps == 0
                ? [] : prompts.map { Self(settings, prompt: $1, newTokens: $0, learner) }
        }
    }

    private init(rows: Double, targets: Double, longest: Int, microBatches: Int) {
        self.rows = rows
        self.targets = targets
        self.longest = longest
        self.microBatches = microBatches
    }

    /// - Parameter seed: of the order in which the demonstrations come; nil where that is as they were given.
    private init(
        _ settings: ImitationConfiguration, _ demonstrations: DemonstrationLengths, seed: UInt64?,
        _ learner: LearnerConfiguration
    ) {
        let known = demonstrations.updates(settings, seed: seed)?.map { learner.microBatches(demonstrations: $0) }
        let largest =
            known?.joined().max()
            ?? learner.largestMicroBatch(demonstrations: settings.batchSize, lengths: demonstrations.rows)
        let most =
            known?.map(\.count).max()
            ?? learner.microBatches(
                demonstrations: settings.batchSize, rows: settings.batchSize * demonstrations.rows.upperBound)
        rows = Double(largest)
        targets = rows * demonstrations.tracePart
        longest = demonstrations.longest
        microBatches = settings.steps == 0 ? 0 : most
    }

    private init(
        _ settings: ReinforcementConfiguration, prompt: Int, newTokens: Int, _ learner: LearnerConfiguration
    ) {
        let rollouts = learner.largestMicroBatch(
            rollouts: settings.groupSize, lengths: 1...max(1, newTokens))
        rows = Double(rollouts + prompt)
        targets = Double(rollouts)
        longest = prompt + newTokens
        microBatches = learner.microBatches(
            groups: settings.problemsPerBatch, rollouts: settings.groupSize, rows: settings.groupSize * newTokens)
    }

    /// The passes that there are at once, and the threads that share some.
    func passes(_ memory: ModelMemory, threads: Int, cores: Int) -> (count: Int, sharing: Int) {
        Learner.passes(microBatches: microBatches, threads: threads, cores: cores, memory.shape)
    }

    /// Bytes that one of them takes, with its gradient.
    func pass(_ memory: ModelMemory) -> Double {
        microBatches == 0 ? 0 : memory.gradient(rows: rows, targets: targets, longest: Double(longest))
    }

    /// Bytes that a thread takes which shares them and no others.
    private func workspace(_ memory: ModelMemory) -> Double {
        microBatches == 0 ? 0 : memory.workspace(rows: rows, targets: targets, longest: Double(longest))
    }
}
