import Generation

/// How rollouts are sampled.
public struct RolloutConfiguration: Sendable {
    /// Rollouts a problem.
    public var groupSize: Int
    public var sampling: SamplingParameters
    public var seed: UInt64
    public var endTokens: [Int32]
    /// Workers, each one job at a time.
    public var workers: Int
    /// Completions that a worker runs at once.
    public var batchCapacity: Int
    /// Positions of the longest prompt with its completion; nil for the model's context.
    public var longestSequence: Int?
    /// Threads of the executor that the workers run on, where idle ones share in a worker's steps; else 1.
    public var threads: Int
    /// Of these, as many as share a step at once.
    public var running: Int

    public init(
        groupSize: Int, sampling: SamplingParameters, seed: UInt64, endTokens: [Int32], workers: Int,
        batchCapacity: Int, longestSequence: Int? = nil, threads: Int = 1, running: Int = .max
    ) {
        self.groupSize = groupSize
        self.sampling = sampling
        self.seed = seed
        self.endTokens = endTokens
        self.workers = workers
        self.batchCapacity = batchCapacity
        self.longestSequence = longestSequence
        self.threads = threads
        self.running = running
    }
}
