import Learning

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
                temperature: reinforcement.sampling.temperature)
        }
    }

    private func imitation(_ settings: ImitationConfiguration) -> LearnerConfiguration {
        LearnerConfiguration(
            optimizer: optimizer,
            schedule: LearningRateSchedule(
                peak: settings.learningRate, warmupSteps: settings.warmupSteps, totalSteps: settings.steps,
                shape: settings.shape))
    }
}
