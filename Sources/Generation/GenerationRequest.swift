import Trajectories

/// A prompt and how many completions of it are wanted.
public struct GenerationRequest: Sendable {
    /// The caller's name for it; completions carry it.
    public var identifier: Int
    public var prompt: [Int32]
    public var sampleCount: Int
    public var maxNewTokens: Int
    public var sampling: SamplingParameters
    /// A sampled token of these ends the completion and is part of it.
    public var endTokens: [Int32]
    /// With the sample and the position, the key of every random number: what is sampled does not depend on scheduling.
    public var seed: UInt64
    public var problemKey: UInt64
    public var visit: Int

    public init(
        identifier: Int, prompt: [Int32], sampleCount: Int = 1, maxNewTokens: Int,
        sampling: SamplingParameters = SamplingParameters(), endTokens: [Int32], seed: UInt64, problemKey: UInt64,
        visit: Int = 0
    ) {
        self.identifier = identifier
        self.prompt = prompt
        self.sampleCount = sampleCount
        self.maxNewTokens = maxNewTokens
        self.sampling = sampling
        self.endTokens = endTokens
        self.seed = seed
        self.problemKey = problemKey
        self.visit = visit
    }
}

/// One finished sample of a request.
public struct Completion: Sendable, Equatable {
    public var identifier: Int
    public var sample: Int
    public var tokens: [Int32]
    public var logProbabilities: [Float]
    public var versions: [PolicyVersion]
    public var finishReason: FinishReason
}

/// A request that the engine cannot serve.
public enum GenerationRefusal: Error, Equatable, CustomStringConvertible {
    case emptyPrompt
    case tokenOutOfRange(Int32, vocabularySize: Int)
    case tooLong(prompt: Int, maxNewTokens: Int, maxPositions: Int)
    case noSamples(Int)
    case noNewTokens(Int)
    case invalidSampling(InvalidSampling)

    public var description: String {
        switch self {
        case .emptyPrompt:
            "the prompt has no tokens: give it a beginning-of-sequence token at least"
        case .tokenOutOfRange(let token, let vocabularySize):
            "token \(token) is outside the model's vocabulary of \(vocabularySize)"
        case .tooLong(let prompt, let maxNewTokens, let maxPositions):
            "a prompt of \(prompt) tokens and \(maxNewTokens) new ones exceed the model's context of \(maxPositions)"
        case .noSamples(let count):
            "\(count) samples: ask for 1 at least"
        case .noNewTokens(let count):
            "\(count) new tokens: ask for 1 at least"
        case .invalidSampling(let error):
            error.description
        }
    }
}
