import Memory
import Models
import Trajectories

/// A prompt whose keys and values are being computed, or wait for its samples to take them over.
final class PromptSequence {
    let request: GenerationRequest
    var table: PageTable
    /// Prompt tokens whose keys and values are stored.
    var processed = 0
    /// Seconds of the forward passes that its rows took part in, by their share of the rows: of the thread that steps, what it
    /// computed and what it waited for others that shared in the step.
    var prefillSeconds = 0.0
    var decodeSeconds = 0.0
    var synchronizeSeconds = 0.0
    /// Samples that have started.
    var started = 0
    /// The last token's logits, once all is processed, and the version that all of it was processed under.
    let logits: AlignedBuffer<Float>
    var version = PolicyVersion(0)

    init(request: GenerationRequest, table: consuming PageTable, vocabularySize: Int) {
        self.request = request
        self.table = table
        logits = AlignedBuffer(count: vocabularySize)
    }

    var isProcessed: Bool { processed == request.prompt.count }
}

/// A completion under way.
final class ActiveSequence {
    let request: GenerationRequest
    let sample: Int
    let stream: RandomStream
    var table: PageTable
    var tokens: [Int32] = []
    var logProbabilities: [Float] = []
    var versions: [PolicyVersion] = []

    init(request: GenerationRequest, sample: Int, table: consuming PageTable) {
        self.request = request
        self.sample = sample
        stream = RandomStream(
            seed: request.seed, purpose: .sampling, problem: request.problemKey, visit: request.visit, sample: sample)
        self.table = table
        tokens.reserveCapacity(request.maxNewTokens)
        logProbabilities.reserveCapacity(request.maxNewTokens)
        versions.reserveCapacity(request.maxNewTokens)
    }

    func append(_ draw: TokenSampler.Draw, version: PolicyVersion) {
        tokens.append(draw.token)
        logProbabilities.append(draw.logProbability)
        versions.append(version)
    }

    /// Position of the newest token, whose keys and values the next step computes.
    var lastPosition: Int { request.prompt.count + tokens.count - 1 }

    var finishReason: FinishReason? {
        guard let last = tokens.last else { return nil }
        if request.endTokens.contains(last) { return .stop }
        return tokens.count >= request.maxNewTokens ? .length : nil
    }
}
