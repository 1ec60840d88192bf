import Learning

/// The micro-batches of a phase that take most, whatever the lengths of what comes together, and what the learner's passes over
/// them come to.
///
/// A pass's buffers, and those of a member's workspace, each grow by themselves and stay: after a micro-batch of many rows and
/// another of many targets they have room for both.
struct LargestMicroBatch {
    /// The most of any, not all of one perhaps.
    let rows: Double
    let targets: Double
    /// Of their sequences.
    let longest: Int
    /// Micro-batches of an update at most; none where no update is made.
    let microBatches: Int
    /// Bytes of each pass that there is at once, with its gradient but no workspace: the first has had all, later ones those
    /// that come in updates of so many.
    let passes: [Double]
    /// Members of passes that are at work at once at most, at least 1 where there is a pass, and bytes of each one's workspace.
    let members: Int
    let workspace: Double

    /// - Parameters:
    ///   - memory: of the model that the passes go through.
    ///   - threads: of the learner.
    ///   - cores: that they run on.
    init(
        _ phase: RunPhase, _ configuration: RunConfiguration, _ lengths: SequenceLengths, memory: ModelMemory,
        threads: Int, cores: Int
    ) {
        let candidates = Candidate.all(phase, configuration, lengths).filter { $0.microBatches > 0 }
        func passes(_ microBatches: Int) -> (count: Int, members: Int) {
            Learner.passes(microBatches: microBatches, threads: threads, cores: cores, memory.shape)
        }
        let largest = LargestSizes(of: candidates)
        rows = largest.rows
        targets = largest.targets
        longest = largest.longest
        microBatches = candidates.map(\.microBatches).max() ?? 0
        // Any pass of an update may take any of its micro-batches, and the update's other groups may have more than this one.
        let mostOfGroup = candidates.map(\.ofGroup).max() ?? 0
        let counts = candidates.map { passes($0.ofGroup + ($0.groups - 1) * mostOfGroup).count }
        self.passes = (0..<(counts.max() ?? 0)).map { index in
            let own = LargestSizes(of: zip(candidates, counts).filter { $1 > index }.map(\.0))
            return memory.gradient(rows: own.rows, targets: own.targets, longest: Double(own.longest))
        }
        members = candidates.map { passes($0.microBatches).members }.max() ?? 0
        workspace = memory.workspace(of: candidates.map { ($0.rows, $0.targets, Double($0.longest)) })
    }
}

/// The most of each that any of some micro-batches has.
private struct LargestSizes {
    let rows: Double
    let targets: Double
    let longest: Int

    init(of candidates: [Candidate]) {
        rows = candidates.map(\.rows).max() ?? 0
        targets = candidates.map(\.targets).max() ?? 0
        longest = candidates.map(\.longest).max() ?? 0
    }
}

/// Of micro-batches of one kind, what takes most.
private struct Candidate {
    let rows: Double
    let targets: Double
    let longest: Int
    /// Micro-batches of a group, and groups of an update; demonstrations are one.
    let ofGroup: Int
    let groups: Int

    /// Of an update that has no other kind.
    var microBatches: Int { groups * ofGroup }

    /// One for each kind that may take more than the others of one thing or another.
    static func all(
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
        ofGroup = settings.steps == 0 ? 0 : most
        groups = 1
    }

    private init(
        _ settings: ReinforcementConfiguration, prompt: Int, newTokens: Int, _ learner: LearnerConfiguration
    ) {
        let rollouts = learner.largestMicroBatch(
            rollouts: settings.groupSize, lengths: 1...max(1, newTokens))
        rows = Double(rollouts + prompt)
        targets = Double(rollouts)
        longest = prompt + newTokens
        ofGroup = learner.microBatches(
            groups: 1, rollouts: settings.groupSize, rows: settings.groupSize * newTokens)
        groups = settings.problemsPerBatch
    }
}
