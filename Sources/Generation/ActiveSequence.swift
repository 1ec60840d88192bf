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
    /// Every sample's first token, once all is processed, and the version that all of it was processed under. They are drawn while
    /// the last token's logits are there: samples that wait for room would keep a whole vocabulary of them.
    let firstDraws: AlignedBuffer<TokenSampler.Draw>
    var version = PolicyVersion(0)

    init(request: GenerationRequest, table: consuming PageTable) {
        self.request = request
        self.table = table
        firstDraws = AlignedBuffer(count: request.sampleCount)
    }

    /// Draws those of some samples, while other threads may draw others'.
    ///
    /// - Parameter logits: the last token's, [vocabulary].
    func drawFirstTokens(of samples: Range<Int>, from logits: UnsafePointer<Float>, by sampler: TokenSampler) {
        for sample in samples {
            firstDraws.pointer[sample] = sampler.draw(
                logits, parameters: request.sampling, uniform: request.stream(ofSample: sample).uniform(at: 0))
        }
    }

    var isProcessed: Bool { processed == request.prompt.count }

    /// Samples that have not started.
    var left: Int { request.sampleCount - started }
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
        stream = request.stream(ofSample: sample)
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

extension GenerationRequest {
    /// The random numbers of a completion, one a token.
    fileprivate func stream(ofSample sample: Int) -> RandomStream {
        RandomStream(seed: seed, purpose: .sampling, problem: problemKey, visit: visit, sample: sample)
    }
}
