internal import KernelsBaseline

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
    internal import KernelsAVX512BF16
#endif

/// Softmax over `count` logits at inverse temperature `scale`: p = exp(scale x - logSumExp).
public enum Softmax {
    /// scale · logit - logSumExp: the one definition of a token's log-probability, for generation and learner alike.
    @inlinable
    public static func logProbability(logit: Float, scale: Float, logSumExp: Float) -> Float {
        let scaled = scale * logit
        return scaled - logSumExp
    }

    /// log Σ exp(scale x), within 1e-6 + 1 ulp of the exact value; -infinity where all logits are, not-a-number where
    /// one is or is +infinity.
    public static func logSumExp(_ x: UnsafePointer<Float>, count: Int, scale: Float) -> Float {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.softmaxLogSumExp(x, count: count, scale: scale)
            case .avx512:
                KernelsAVX512.softmaxLogSumExp(x, count: count, scale: scale)
            case .avx2:
                KernelsAVX2.softmaxLogSumExp(x, count: count, scale: scale)
        #endif
        default:
            KernelsBaseline.softmaxLogSumExp(x, count: count, scale: scale)
        }
    }

    /// p = exp(scale x - logSumExp) into `result` [count], which may be `x`.
    public static func probabilities(
        _ x: UnsafePointer<Float>, count: Int, scale: Float, logSumExp: Float, into result: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.softmaxProbabilities(
                    x, count: count, scale: scale, logSumExp: logSumExp, into: result)
            case .avx512:
                KernelsAVX512.softmaxProbabilities(x, count: count, scale: scale, logSumExp: logSumExp, into: result)
            case .avx2:
                KernelsAVX2.softmaxProbabilities(x, count: count, scale: scale, logSumExp: logSumExp, into: result)
        #endif
        default:
            KernelsBaseline.softmaxProbabilities(x, count: count, scale: scale, logSumExp: logSumExp, into: result)
        }
    }

    /// The first token, in order of id, at which the running sum of probabilities exp(scale x - logSumExp) passes `uniform`,
    /// a number in [0, 1); never one of probability 0, unless all are.
    public static func draw(
        _ logits: UnsafePointer<Float>, count: Int, scale: Float, logSumExp: Float, uniform: Float
    ) -> Int {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.softmaxDraw(
                    logits, count: count, scale: scale, logSumExp: logSumExp, uniform: uniform)
            case .avx512:
                KernelsAVX512.softmaxDraw(logits, count: count, scale: scale, logSumExp: logSumExp, uniform: uniform)
            case .avx2:
                KernelsAVX2.softmaxDraw(logits, count: count, scale: scale, logSumExp: logSumExp, uniform: uniform)
        #endif
        default:
            KernelsBaseline.softmaxDraw(logits, count: count, scale: scale, logSumExp: logSumExp, uniform: uniform)
        }
    }

    /// The entropy Σ p (logSumExp - scale x) in nats; a logit of -infinity adds nothing.
    public static func entropy(_ logits: UnsafePointer<Float>, count: Int, scale: Float, logSumExp: Float) -> Float {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.softmaxEntropy(logits, count: count, scale: scale, logSumExp: logSumExp)
            case .avx512:
                KernelsAVX512.softmaxEntropy(logits, count: count, scale: scale, logSumExp: logSumExp)
            case .avx2:
                KernelsAVX2.softmaxEntropy(logits, count: count, scale: scale, logSumExp: logSumExp)
        #endif
        default:
            KernelsBaseline.softmaxEntropy(logits, count: count, scale: scale, logSumExp: logSumExp)
        }
    }

    /// The gradient of coefficient · logProbability(target) with respect to the logits, coefficient · scale · (onehot -
    /// p), into `result` [count], which may be `logits`.
    public static func gradient(
        _ logits: UnsafePointer<Float>, count: Int, scale: Float, logSumExp: Float, target: Int, coefficient: Float,
        into result: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.softmaxGradient(
                    logits, count: count, scale: scale, logSumExp: logSumExp, target: target, coefficient: coefficient,
                    into: result
                )
            case .avx512:
                KernelsAVX512.softmaxGradient(
                    logits, count: count, scale: scale, logSumExp: logSumExp, target: target, coefficient: coefficient,
                    into: result
                )
            case .avx2:
                KernelsAVX2.softmaxGradient(
                    logits, count: count, scale: scale, logSumExp: logSumExp, target: target, coefficient: coefficient,
                    into: result
                )
        #endif
        default:
            KernelsBaseline.softmaxGradient(
                logits, count: count, scale: scale, logSumExp: logSumExp, target: target, coefficient: coefficient,
                into: result
            )
        }
    }
}
