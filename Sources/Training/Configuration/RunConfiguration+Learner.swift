import Learning
import Models

extension RunConfiguration {
    /// What the learner of a phase is told.
    func learner(of phase: RunPhase) -> LearnerConfiguration {
        switch phase {
        case .base: imitation(warmup)
        case .sft: imitation(sft)
        case .grpo, .rlkd:
            LearnerConfiguration(
                optimizer: optimizer,
                schedule: LearningRateSchedule(
                    peak: reinforcement.learningRate, warmupSteps: reinforcement.warmupSteps, totalSteps: steps,
                    shape: reinforcement.shape),
                loss: GroupRelativeLoss(clip: reinforcement.clip, referenceWeight: reinforcement.referenceWeight),
                temperature: reinforcement.sampling.temperature, microBatchRows: learner.microBatchRows,
                activations: learner.activations)
        }
    }

    /// The adapters that a phase trains; nil where it trains all weights: as asked for, and where a fresh student's weights are
    /// made, for adapters on random weights would teach it nothing.
    func adapters(of phase: RunPhase) -> AdapterConfiguration? {
        let settings = learner.adapters
        guard settings.rank > 0, phase != .base || student.model != nil else { return nil }
        return AdapterConfiguration(
            rank: settings.rank, alpha: settings.alpha, projections: Set(settings.targets))
    }

    /// - Throws: `ConfigurationError` where phases train adapters that the student has no place for.
    func checkAdapters(of student: ModelConfiguration) throws {
        let phases = [.base] + arms.map { RunPhase($0) }
        guard !phases.allSatisfy({ adapters(of: $0)?.fits(student) ?? true }) else { return }
        throw ConfigurationError(
            source: ConfigurationError.configuration, key: "learner.adapters.targets",
            reason: "names lm_head, which the student ties to its embedding (tie_word_embeddings): merging would "
                + "change both")
    }

    private func imitation(_ settings: ImitationConfiguration) -> LearnerConfiguration {
        LearnerConfiguration(
            optimizer: optimizer,
            schedule: LearningRateSchedule(
                peak: settings.learningRate, warmupSteps: settings.warmupSteps, totalSteps: settings.steps,
                shape: settings.shape),
            microBatchRows: learner.microBatchRows, activations: learner.activations)
    }
}
