extension RunConfiguration {
    /// - Throws: `ConfigurationError` naming the first key whose value is impossible.
    func validate() throws {
        try Self.check(threads >= 0 && threads <= 1024, "threads", "is \(threads): 0 for all cores, or 1 to 1024")
        try Self.check(workers >= 0 && workers <= 1024, "workers", "is \(workers): 0 for as many as threads, or 1 to 1024")
        try Self.check(maxStaleness >= 0, "maxStaleness", "is \(maxStaleness): it must be 0 or more")
        try Self.check(steps >= 0, "steps", "is \(steps): it must be 0 or more")
        try Self.check(!arms.isEmpty, "arms", "names no arm")
        try Self.check(Set(arms).count == arms.count, "arms", "names an arm twice")
        try validateImitation(warmup, "warmup")
        try validateImitation(sft, "sft")
        try validateReinforcement()
        try validateStudent()
        try validateRest()
    }

    private func validateImitation(_ settings: ImitationConfiguration, _ key: String) throws {
        try Self.check(settings.steps >= 0, "\(key).steps", "is \(settings.steps): it must be 0 or more")
        try Self.check(settings.batchSize > 0, "\(key).batchSize", "is \(settings.batchSize): it must be 1 or more")
        try Self.checkRate(settings.learningRate, "\(key).learningRate")
        try Self.check(settings.warmupSteps >= 0, "\(key).warmupSteps", "is \(settings.warmupSteps): it must be 0 or more")
    }

    private func validateReinforcement() throws {
        let settings = reinforcement
        let key = "reinforcement"
        try Self.check(
            settings.problemsPerBatch > 0, "\(key).problemsPerBatch",
            "is \(settings.problemsPerBatch): it must be 1 or more")
        try Self.check(
            settings.groupSize > 1, "\(key).groupSize",
            "is \(settings.groupSize): the group is the baseline, so it must be 2 or more")
        try Self.check(
            settings.queueCapacity > 0, "\(key).queueCapacity", "is \(settings.queueCapacity): it must be 1 or more")
        try Self.checkRate(settings.learningRate, "\(key).learningRate")
        try Self.check(settings.warmupSteps >= 0, "\(key).warmupSteps", "is \(settings.warmupSteps): it must be 0 or more")
        try Self.check(settings.clip > 0, "\(key).clip", "is \(settings.clip): it must be above 0")
        try Self.check(
            settings.referenceWeight >= 0, "\(key).referenceWeight", "is \(settings.referenceWeight): it must be 0 or more")
        do {
            try settings.sampling.validate()
        } catch {
            throw ConfigurationError(
                source: "configuration", key: "\(key).sampling.\(error.field)",
                reason: "is \(error.value): it must be \(error.allowed)")
        }
        try Self.check(
            settings.sampling.temperature > 0, "\(key).sampling.temperature", "is 0: a group of equal rollouts teaches nothing")
    }

    private func validateStudent() throws {
        for (name, value) in [
            ("hiddenSize", student.hiddenSize), ("layers", student.layers), ("attentionHeads", student.attentionHeads),
            ("keyValueHeads", student.keyValueHeads), ("intermediateSize", student.intermediateSize),
            ("maxPositions", student.maxPositions),
        ] {
            try Self.check((1...1 << 20).contains(value), "student.\(name)", "is \(value): it must be 1 to \(1 << 20)")
        }
    }

    private func validateRest() throws {
        try Self.check(task.maxNewTokens > 0, "task.maxNewTokens", "is \(task.maxNewTokens): it must be 1 or more")
        let least = task.kind == .quantityGraphs ? 1 : 0
        try Self.check(
            task.trainingProblems >= least, "task.trainingProblems",
            "is \(task.trainingProblems): it must be \(least) or more")
        try Self.check(
            task.testProblems >= least, "task.testProblems", "is \(task.testProblems): it must be \(least) or more")
        try Self.check(evaluation.samples >= 0, "evaluation.samples", "is \(evaluation.samples): it must be 0 or more")
        try Self.check(
            evaluation.temperature > 0, "evaluation.temperature", "is \(evaluation.temperature): it must be above 0")
        try Self.check(
            reward.alpha.map { (0...1).contains($0) } ?? true, "reward.alpha", "must be from 0 to 1")
        for (name, value) in [
            ("every", checkpoints.every), ("imitationEvery", checkpoints.imitationEvery), ("keep", checkpoints.keep),
            ("rolloutsEvery", checkpoints.rolloutsEvery),
        ] {
            try Self.check(value > 0, "checkpoints.\(name)", "is \(value): it must be 1 or more")
        }
    }

    private static func checkRate(_ rate: Double, _ key: String) throws {
        try check(rate > 0 && rate.isFinite, key, "is \(rate): it must be above 0")
    }

    private static func check(_ isPossible: Bool, _ key: String, _ reason: String) throws {
        guard isPossible else { throw ConfigurationError(source: "configuration", key: key, reason: reason) }
    }
}
