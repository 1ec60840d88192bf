import Generation
import Models

extension RunConfiguration {
    /// Counts beyond it are mistakes, and their products would not fit a number.
    static let largestCount = 1 << 24
    /// Of a reward's part: updates take the weighted sum as a 32-bit float, whose range ends at 3e38.
    private static let largestWeight = 1e30

    /// - Throws: `ConfigurationError` naming the first key whose value is impossible.
    func validate() throws {
        try Self.check(
            !name.isEmpty && !name.contains { $0 == "/" || $0 == "\0" }, "name",
            "is “\(name)”: it must be a folder's name, without “/”")
        try Self.check(threads >= 0 && threads <= 1024, "threads", "is \(threads): 0 for all cores, or 1 to 1024")
        try Self.check(
            workers >= 0 && workers <= 1024, "workers", "is \(workers): 0 for as many as serve best, or 1 to 1024")
        try Self.checkCount(maxStaleness, from: 0, "maxStaleness")
        try Self.checkCount(steps, from: 0, "steps")
        try Self.check(!arms.isEmpty, "arms", "names no arm")
        try Self.check(Set(arms).count == arms.count, "arms", "names an arm twice")
        try validateImitation(warmup, "warmup")
        try validateImitation(sft, "sft")
        try validateReinforcement()
        try validateOptimizer()
        try validateLearner()
        try validateReward()
        try validateStudent()
        try validateRest()
        try MemoryNeed(problemsOf: self).check()
    }

    private func validateImitation(_ settings: ImitationConfiguration, _ key: String) throws {
        try Self.checkCount(settings.steps, from: 0, "\(key).steps")
        try Self.checkCount(settings.batchSize, from: 1, "\(key).batchSize")
        try Self.checkRate(settings.learningRate, "\(key).learningRate")
        try Self.checkCount(settings.warmupSteps, from: 0, "\(key).warmupSteps")
    }

    private func validateReinforcement() throws {
        let settings = reinforcement
        let key = "reinforcement"
        try Self.checkCount(settings.problemsPerBatch, from: 1, "\(key).problemsPerBatch")
        try Self.check(
            settings.groupSize > 1, "\(key).groupSize",
            "is \(settings.groupSize): the group is the baseline, so it must be 2 or more")
        try Self.checkCount(settings.groupSize, from: 2, "\(key).groupSize")
        try Self.checkCount(settings.queueCapacity, from: 1, "\(key).queueCapacity")
        try Self.checkRate(settings.learningRate, "\(key).learningRate")
        try Self.checkCount(settings.warmupSteps, from: 0, "\(key).warmupSteps")
        try Self.checkRate(settings.clip, "\(key).clip")
        try Self.check(
            settings.referenceWeight >= 0 && settings.referenceWeight.isFinite, "\(key).referenceWeight",
            "is \(settings.referenceWeight): it must be \(Self.zeroOrMore)")
        do {
            try settings.sampling.validate()
        } catch {
            throw ConfigurationError(
                source: ConfigurationError.configuration, key: "\(key).sampling.\(error.field)",
                reason: "is \(error.value): it must be \(error.allowed)")
        }
        try Self.check(
            settings.sampling.temperature > 0, "\(key).sampling.temperature",
            "is 0: a group of equal rollouts teaches nothing")
    }

    private func validateOptimizer() throws {
        for (name, beta) in [("beta1", optimizer.beta1), ("beta2", optimizer.beta2)] {
            try Self.check((0..<1).contains(beta), "optimizer.\(name)", "is \(beta): it must be 0 or more, and below 1")
        }
        try Self.checkRate(optimizer.epsilon, "optimizer.epsilon")
        for (name, value) in [
            ("weightDecay", optimizer.weightDecay), ("maxGradientNorm", optimizer.maxGradientNorm),
        ] {
            try Self.check(
                value >= 0 && Float(value).isFinite, "optimizer.\(name)",
                "is \(value): it must be \(Self.zeroOrMore)")
        }
    }

    private func validateLearner() throws {
        try Self.checkCount(
            learner.microBatchRows, from: 1, to: LearnerSettings.largestMicroBatchRows, "learner.microBatchRows")
        let settings = learner.adapters
        let key = "learner.adapters"
        try Self.check(
            (0...65_536).contains(settings.rank), "\(key).rank",
            "is \(settings.rank): 0 to train all weights, or 1 to 65536")
        try Self.checkRate(settings.alpha, "\(key).alpha")
        try Self.check(
            settings.rank == 0 || AdapterConfiguration(rank: settings.rank, alpha: settings.alpha).scale.isNormal,
            "\(key).alpha", "is \(settings.alpha): divided by the rank, it is beyond what 32-bit floats hold")
        try Self.check(!settings.targets.isEmpty, "\(key).targets", "names no projection")
        try Self.check(
            Set(settings.targets).count == settings.targets.count, "\(key).targets", "names a projection twice")
    }

    private func validateReward() throws {
        for (name, weight) in [
            ("accuracy", reward.accuracy), ("format", reward.format), ("tagCount", reward.tagCount),
            ("structure", reward.structure),
        ] {
            try Self.checkWeight(weight, from: -Self.largestWeight, "reward.\(name)")
        }
        let overlong = reward.overlong
        try Self.checkWeight(overlong.weight, from: 0, "reward.overlong.weight")
        try Self.checkCount(overlong.limit, from: 1, "reward.overlong.limit")
        try Self.check(
            (0...overlong.limit).contains(overlong.start), "reward.overlong.start",
            "is \(overlong.start): it must be from 0 to reward.overlong.limit, which is \(overlong.limit)")
        try Self.check(
            reward.alpha.map { (0...1).contains($0) } ?? true, "reward.alpha",
            "is \(reward.alpha ?? 0): it must be 0 to 1")
    }

    private func validateStudent() throws {
        for (name, value) in [
            ("hiddenSize", student.hiddenSize), ("layers", student.layers), ("attentionHeads", student.attentionHeads),
            ("keyValueHeads", student.keyValueHeads), ("intermediateSize", student.intermediateSize),
            ("maxPositions", student.maxPositions),
        ] {
            try Self.check((1...1 << 20).contains(value), "student.\(name)", "is \(value): it must be 1 to \(1 << 20)")
        }
        try Self.check(
            student.initialDeviation >= 0 && student.initialDeviation.isFinite, "student.initialDeviation",
            "is \(student.initialDeviation): it must be \(Self.zeroOrMore)")
        if student.model == nil { try validateShape() }
    }

    /// The shape of a fresh student.
    private func validateShape() throws {
        let (hidden, heads, shared) = (student.hiddenSize, student.attentionHeads, student.keyValueHeads)
        try Self.check(
            hidden.isMultiple(of: heads), "student.hiddenSize",
            "is \(hidden): it must be a multiple of student.attentionHeads, which is \(heads)")
        try Self.check(
            (hidden / heads).isMultiple(of: 2), "student.hiddenSize",
            "is \(hidden), \(hidden / heads) for each of the \(heads) student.attentionHeads: that must be even, because the "
                + "rotary embedding turns pairs")
        try Self.check(
            heads.isMultiple(of: shared), "student.keyValueHeads",
            "is \(shared): it must divide student.attentionHeads, which is \(heads)")
    }

    private func validateRest() throws {
        try Self.checkCount(task.maxNewTokens, from: 1, "task.maxNewTokens")
        try Self.check(
            task.graphs.seed == 0, "task.graphs.seed", "is \(task.graphs.seed): problems are drawn by seed; leave it 0")
        do {
            try task.graphs.validate()
        } catch {
            throw ConfigurationError(
                source: ConfigurationError.configuration, key: "task.graphs.\(error.field)", reason: error.reason)
        }
        let fields = [
            ("question", Optional(task.fields.question)), ("answer", task.fields.answer), ("trace", task.fields.trace),
            ("id", task.fields.id),
        ]
        for (name, field) in fields {
            try Self.check(field?.isEmpty != true, "task.fields.\(name)", "is empty: it must name a field of the rows")
        }
        let least = task.kind == .quantityGraphs ? 1 : 0
        try Self.checkCount(task.trainingProblems, from: least, "task.trainingProblems")
        try Self.checkCount(task.testProblems, from: least, "task.testProblems")
        try Self.checkCount(evaluation.samples, from: 0, "evaluation.samples")
        try Self.check(
            evaluation.temperature >= SamplingParameters.leastTemperature && evaluation.temperature.isFinite,
            "evaluation.temperature",
            "is \(evaluation.temperature): it must be \(SamplingParameters.leastTemperature) or more, and finite")
        for (name, value) in [
            ("every", checkpoints.every), ("imitationEvery", checkpoints.imitationEvery), ("keep", checkpoints.keep),
            ("rolloutsEvery", checkpoints.rolloutsEvery),
        ] {
            try Self.check(value > 0, "checkpoints.\(name)", "is \(value): it must be 1 or more")
        }
    }

    private static func checkCount(
        _ count: Int, from least: Int, to most: Int = largestCount, _ key: String
    ) throws {
        try check((least...most).contains(count), key, "is \(count): it must be \(least) to \(most)")
    }

    private static func checkWeight(_ weight: Double, from least: Double, _ key: String) throws {
        try check(
            (least...largestWeight).contains(weight), key, "is \(weight): it must be \(least) to \(largestWeight)")
    }

    private static func checkRate(_ rate: some BinaryFloatingPoint & Sendable, _ key: String) throws {
        try check(
            Float(rate) > 0 && Float(rate).isFinite, key, "is \(rate): it must be \(aboveZero)")
    }

    /// Numbers go to kernels as such.
    private static let aboveZero = "above 0 as a 32-bit float is, 1e-45 to 3e38"
    private static let zeroOrMore = "0 or more, and at most 3e38, as a 32-bit float is"

    private static func check(_ isPossible: Bool, _ key: String, _ reason: String) throws {
        guard isPossible else {
            throw ConfigurationError(source: ConfigurationError.configuration, key: key, reason: reason)
        }
    }
}
