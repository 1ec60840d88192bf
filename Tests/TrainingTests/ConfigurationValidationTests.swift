import Testing

@testable import Training

@Suite struct ConfigurationValidationTests {
    @Test func theBuiltInRunIsValid() throws {
        try RunConfiguration().validate()
        try TestRun.configuration().validate()
    }

    @Test(arguments: [
        ("name=\"a\\0b\"", "name"), ("threads=-1", "threads"), ("threads=1025", "threads"), ("workers=-1", "workers"),
        ("maxStaleness=-1", "maxStaleness"), ("maxStaleness=9223372036854775807", "maxStaleness"),
        ("steps=-1", "steps"), ("steps=9223372036854775807", "steps"),
        ("arms=[]", "arms"), ("arms=sft,sft", "arms"), ("warmup.steps=-1", "warmup.steps"),
        ("warmup.batchSize=0", "warmup.batchSize"), ("sft.batchSize=9223372036854775807", "sft.batchSize"),
        ("sft.learningRate=0", "sft.learningRate"), ("sft.learningRate=.nan", "sft.learningRate"),
        ("sft.learningRate=.inf", "sft.learningRate"), ("sft.warmupSteps=-1", "sft.warmupSteps"),
        ("reinforcement.problemsPerBatch=0", "reinforcement.problemsPerBatch"),
        ("reinforcement.groupSize=1", "reinforcement.groupSize"),
        ("reinforcement.queueCapacity=0", "reinforcement.queueCapacity"),
        ("reinforcement.learningRate=-1", "reinforcement.learningRate"),
        ("reinforcement.clip=0", "reinforcement.clip"), ("reinforcement.clip=.nan", "reinforcement.clip"),
        ("reinforcement.referenceWeight=-0.1", "reinforcement.referenceWeight"),
        ("reinforcement.referenceWeight=.inf", "reinforcement.referenceWeight"),
        ("reinforcement.sampling.temperature=0", "reinforcement.sampling.temperature"),
        ("reinforcement.sampling.temperature=-1", "reinforcement.sampling.temperature"),
        ("reinforcement.sampling.topK=-1", "reinforcement.sampling.topK"),
        ("reinforcement.sampling.topP=1.5", "reinforcement.sampling.topP"),
        ("optimizer.beta1=1", "optimizer.beta1"), ("optimizer.beta2=-0.1", "optimizer.beta2"),
        ("optimizer.beta2=.nan", "optimizer.beta2"), ("optimizer.epsilon=0", "optimizer.epsilon"),
        ("optimizer.weightDecay=-1", "optimizer.weightDecay"),
        ("optimizer.maxGradientNorm=.nan", "optimizer.maxGradientNorm"),
        ("student.hiddenSize=0", "student.hiddenSize"), ("student.layers=-1", "student.layers"),
        ("student.maxPositions=100000000", "student.maxPositions"),
        ("student.initialDeviation=.nan", "student.initialDeviation"),
        ("reward.alpha=1.5", "reward.alpha"), ("reward.alpha=.nan", "reward.alpha"),
        ("reward.accuracy=.inf", "reward.accuracy"), ("reward.structure=.nan", "reward.structure"),
        ("task.maxNewTokens=0", "task.maxNewTokens"), ("task.trainingProblems=0", "task.trainingProblems"),
        ("task.testProblems=-1", "task.testProblems"), ("evaluation.samples=-1", "evaluation.samples"),
        ("evaluation.temperature=0", "evaluation.temperature"),
        ("evaluation.temperature=.inf", "evaluation.temperature"),
        ("checkpoints.every=0", "checkpoints.every"), ("checkpoints.imitationEvery=0", "checkpoints.imitationEvery"),
        ("checkpoints.keep=0", "checkpoints.keep"), ("checkpoints.rolloutsEvery=0", "checkpoints.rolloutsEvery"),
    ])
    func anImpossibleValueNamesItsKey(override: String, key: String) throws {
        let configuration = try ConfigurationReader.read(file: nil, overrides: [override])
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error?.key == key)
        #expect(error?.source == "configuration")
    }

    /// Kernels take 32-bit floats.
    @Test(arguments: [
        ("warmup.learningRate", "1e39", "is 1e+39: it must be above 0 as a 32-bit float is"),
        ("optimizer.epsilon", "1e-60", "is 1e-60: it must be above 0 as a 32-bit float is"),
        ("optimizer.weightDecay", "1e39", "is 1e+39: it must be 0 or more, and at most 3e38"),
        ("reinforcement.clip", ".inf", "is inf: it must be above 0 as a 32-bit float is"),
        ("reinforcement.clip", "-0.2", "is -0.2: it must be above 0 as a 32-bit float is"),
        ("reinforcement.referenceWeight", ".inf", "is inf: it must be 0 or more, and at most 3e38"),
        ("student.initialDeviation", "1e39", "is inf: it must be 0 or more, and at most 3e38"),
        ("evaluation.temperature", "1e39", "is inf: it must be 1e-06 or more, and finite"),
        ("reward.alpha", "1.5", "is 1.5: it must be 0 to 1"),
    ])
    func aNumberBeyondFloatsIsRefused(key: String, value: String, reason: String) throws {
        let configuration = try ConfigurationReader.read(file: nil, overrides: ["\(key)=\(value)"])
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error?.key == key)
        #expect(error?.reason.hasPrefix(reason) == true, "\(error?.reason ?? "")")
    }

    /// Weights are 32-bit floats, and so is the factor on adapters.
    @Test(arguments: ["1e300", "1e-300"]) func anAlphaBeyondFloatsIsRefused(alpha: String) throws {
        let overrides = ["learner.adapters.rank=4", "learner.adapters.alpha=\(alpha)"]
        let configuration = try ConfigurationReader.read(file: nil, overrides: overrides)
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error?.key == "learner.adapters.alpha")
    }

    /// Found when the task is made, before anything is written.
    @Test(arguments: [
        ("task.graphs.modulus=12", "task.graphs.modulus"), ("task.graphs.definitions=21", "task.graphs.definitions"),
        ("task.graphs.sizes=4,11", "task.graphs.sizes"), ("student.model=/nowhere", "student.model"),
        ("task.kind=gsm8k", "student.model"), ("student.maxPositions=10", "student.maxPositions"),
    ])
    func anImpossibleTaskNamesItsKey(override: String, key: String) throws {
        let configuration = try ConfigurationReader.read(file: nil, overrides: ["task.trainingProblems=2", override])
        let run = TrainingRun(configuration: configuration, resuming: false, logger: TestRun.quietLogger)
        #expect(throws: (any Error).self) { try run.describe() }
        do { _ = try run.describe() } catch let error as ConfigurationError { #expect(error.key == key) }
    }
}
