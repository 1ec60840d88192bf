import Kernels
import Memory

/// Draws tokens from logits, with the behaviour log-probability of each: log-softmax(logits / temperature) over the whole
/// vocabulary, before top-k and top-p (at temperature 0, of the untempered distribution).
///
/// A uniform number decides: the token is the first, in order of id, at which the kept probabilities' running sum passes
/// it. One thread at a time.
public final class TokenSampler {
    public struct Draw: Equatable {
        public var token: Int32
        public var logProbability: Float
    }

    private let vocabularySize: Int
    private let probabilities: AlignedBuffer<Float>
    private var candidates: [Int32] = []

    public init(vocabularySize: Int) {
        self.vocabularySize = vocabularySize
        probabilities = AlignedBuffer(count: vocabularySize)
        candidates.reserveCapacity(vocabularySize)
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
        } else {
            Softmax.probabilities(
                logits, count: vocabularySize, scale: scale, logSumExp: logSumExp, into: probabilities.pointer)
            if parameters.topK == 0 && parameters.topP == 1 {
                token = drawFromAll(uniform)
            } else {
                keepCandidates(parameters)
                token = drawFromCandidates(uniform)
            }
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

    private func drawFromAll(_ uniform: Float) -> Int {
        var remaining = uniform
        var last = 0
        for index in 0..<vocabularySize where probabilities.pointer[index] > 0 {
            last = index
            remaining -= probabilities.pointer[index]
            if remaining < 0 { return index }
        }
        return last
    }

    private func drawFromCandidates(_ uniform: Float) -> Int {
        var mass: Float = 0
        for candidate in candidates {
            mass += probabilities.pointer[Int(candidate)]
        }
        var remaining = uniform * mass
        for candidate in candidates {
            remaining -= probabilities.pointer[Int(candidate)]
            if remaining < 0 { return Int(candidate) }
        }
        return Int(candidates.last ?? 0)
    }

    /// Leaves in `candidates`, in order of id, the tokens that top-k and then top-p keep; of equally probable tokens the
    /// lower id goes first.
    private func keepCandidates(_ parameters: SamplingParameters) {
        // Tokens below this bound hold less than 1 - topP together, so none of them is in the smallest set.
        let bound = parameters.topK == 0 ? (1 - parameters.topP) / Float(vocabularySize) * 0.5 : 0
        candidates.removeAll(keepingCapacity: true)
        for index in 0..<vocabularySize where probabilities.pointer[index] > bound {
            candidates.append(Int32(index))
        }
        let values = probabilities.pointer
        candidates.sort { left, right in
            let (first, second) = (values[Int(left)], values[Int(right)])
            return first == second ? left < right : first > second
        }
        if parameters.topK > 0 && candidates.count > parameters.topK {
            candidates.removeLast(candidates.count - parameters.topK)
        }
        if parameters.topP < 1 {
            let mass = parameters.topK == 0 ? 1 : candidates.reduce(Float(0)) { $0 + values[Int($1)] }
            var running: Float = 0
            var kept = 0
            while kept < candidates.count && running < parameters.topP * mass {
                running += values[Int(candidates[kept])]
                kept += 1
            }
            candidates.removeLast(max(0, candidates.count - max(1, kept)))
        }
        candidates.sort()
    }
}
