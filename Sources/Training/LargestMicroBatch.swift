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

    static let none = LargestMicroBatch(rows: 0, targets: 0, longest: 0, microBatches: 0)

    /// - Parameters:
    ///   - memory: of the model that the pass goes through.
    ///   - threads: of the learner.
    ///   - cores: that they run on.
    init(
        _ phase: RunPhase, _ configuration: RunConfiguration, _ lengths: SequenceLengths, memory: ModelMemory,
        threads: Int, cores: Int
    ) {
        let learner = configuration.learner(of: phase)
        switch phase {
        case .base:
            // Quantity graphs to warm up with are made in their order.
            let isMade = configuration.task.kind == .quantityGraphs
            self.init(configuration.warmup, lengths.warmup, seed: isMade ? nil : configuration.seed, learner)
        case .sft: self.init(configuration.sft, lengths.traced, seed: configuration.seed, learner)
        case .grpo, .rlkd:
            let settings = configuration.reinforcement
            // Of problems whose completions are cut at the same length, the one with the longest prompt takes most.
            let prompts = Dictionary(
                RolloutLengths(configuration, lengths).longest.map { ($0.newTokens, $0.prompt) }, uniquingKeysWith: max)
            let candidates =
                configuration.steps == 0 ? [] : prompts.map { Self(settings, prompt: $1, newTokens: $0, learner) }
            self =
                candidates.max {
                    $0.bytes(memory, threads: threads, cores: cores) < $1.bytes(memory, threads: threads, cores: cores)
                } ?? .none
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

    /// That those take together.
    private func bytes(_ memory: ModelMemory, threads: Int, cores: Int) -> Double {
        let passes = passes(memory, threads: threads, cores: cores)
        return Double(passes.count) * pass(memory) + Double(passes.sharing) * workspace(memory)
    }

    /// That one of them takes, with its gradient.
    func pass(_ memory: ModelMemory) -> Double {
        microBatches == 0 ? 0 : memory.gradient(rows: rows, targets: targets, longest: Double(longest))
    }

    /// That a thread takes which shares them.
    func workspace(_ memory: ModelMemory) -> Double {
        microBatches == 0 ? 0 : memory.workspace(rows: rows, targets: targets, longest: Double(longest))
    }
}
