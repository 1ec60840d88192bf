import Kernels
import Memory

/// Draws tokens from logits, with the behaviour log-probability of each: log-softmax(logits / temperature) over the whole
/// vocabulary, before top-k and top-p (at temperature 0, of the untempered distribution).
///
/// A uniform number decides: the token is the first, in order of id, at which the kept probabilities' running sum passes
/// it. One thread at a time.
public final class TokenSampler {
    public struct Draw: Equatable, BitwiseCopyable {
        public var token: Int32
        public var logProbability: Float
    }

    private let vocabularySize: Int
    private let probabilities: AlignedBuffer<Float>
    private var candidates: CandidateTokens

    public init(vocabularySize: Int) {
        self.vocabularySize = vocabularySize
        probabilities = AlignedBuffer(count: vocabularySize)
        candidates = CandidateTokens(vocabularySize: vocabularySize)
    }

    /// - Parameters:
    ///   - logits: [vocabulary].
    ///   - uniform: in [0, 1).
    public func draw(_ logits: UnsafePointer<Float>, parameters: SamplingParameters, uniform: Float) -> Draw {
        let scale = parameters.temperature == 0 ? 1 : 1 / parameters.temperature
        let logSumExp = Softmax.logSumExp(logits, count: vocabularySize, scale: scale)
        let token: Int
        if parameters.temperature == 0 {
            token = mostProbable(logits)
        } else if parameters.topK == 0 && parameters.topP == 1 {
            token = Softmax.draw(
                logits, count: vocabularySize, scale: scale, logSumExp: logSumExp, uniform: uniform)
        } else {
            Softmax.probabilities(
                logits, count: vocabularySize, scale: scale, logSumExp: logSumExp, into: probabilities.pointer)
            candidates.keep(parameters, of: probabilities.pointer, count: vocabularySize)
            token = drawFromCandidates(uniform)
        }
        return Draw(
            token: Int32(token),
            logProbability: Softmax.logProbability(logit: logits[token], scale: scale, logSumExp: logSumExp))
    }

    /// The lowest id among the largest logits.
    private func mostProbable(_ logits: UnsafePointer<Float>) -> Int {
        var best = 0
        for index in 1..<max(1, vocabularySize) where logits[index] > logits[best] {
            best = index
        }
        return best
    }

    private func drawFromCandidates(_ uniform: Float) -> Int {
        var mass: Float = 0
        for candidate in candidates.tokens {
            mass += probabilities.pointer[Int(candidate)]
        }
        var remaining = uniform * mass
        for candidate in candidates.tokens {
            remaining -= probabilities.pointer[Int(candidate)]
            if remaining < 0 { return Int(candidate) }
        }
        return Int(candidates.tokens.last ?? 0)
    }
}
