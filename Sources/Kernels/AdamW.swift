internal import KernelsBaseline

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
    internal import KernelsAVX512BF16
#endif

/// Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), as PyTorch's `AdamW` computes it.
public enum AdamW {
    /// One step on `count` parameters.
    ///
    /// - Parameters:
    ///   - parameters, firstMoment, secondMoment: [count], updated; the moments are zero before step 1.
    ///   - gradients: [count], each taken times `gradientScale` (for clipping by the global norm).
    ///   - weightDecay: decoupled: parameters shrink by learningRate · weightDecay.
    ///   - step: counts from 1; the moments are divided by 1 - betaᵗ.
    public static func update(
        parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>,
        firstMoment: UnsafeMutablePointer<Float>, secondMoment: UnsafeMutablePointer<Float>, count: Int,
        learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, step: Int,
        gradientScale: Float
    ) {
        let decay = Float(1 - learningRate * weightDecay)
        let firstRate = Float(1 - beta1)
        let secondKeep = Float(beta2)
        let secondRate = Float(1 - beta2)
        let stepSize = Float(learningRate / (1 - power(beta1, step)))
        let secondCorrection = Float(1 / (1 - power(beta2, step)).squareRoot())
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.adamWUpdate(
                    parameters: parameters, gradients: gradients, firstMoment: firstMoment, secondMoment: secondMoment,
                    count: count, decay: decay, firstRate: firstRate, secondKeep: secondKeep, secondRate: secondRate,
                    stepSize: stepSize, secondCorrection: secondCorrection, epsilon: Float(epsilon),
                    gradientScale: gradientScale
                )
            case .avx512:
                KernelsAVX512.adamWUpdate(
                    parameters: parameters, gradients: gradients, firstMoment: firstMoment, secondMoment: secondMoment,
                    count: count, decay: decay, firstRate: firstRate, secondKeep: secondKeep, secondRate: secondRate,
                    stepSize: stepSize, secondCorrection: secondCorrection, epsilon: Float(epsilon),
                    gradientScale: gradientScale
                )
            case .avx2:
                KernelsAVX2.adamWUpdate(
                    parameters: parameters, gradients: gradients, firstMoment: firstMoment, secondMoment: secondMoment,
                    count: count, decay: decay, firstRate: firstRate, secondKeep: secondKeep, secondRate: secondRate,
                    stepSize: stepSize, secondCorrection: secondCorrection, epsilon: Float(epsilon),
                    gradientScale: gradientScale
                )
        #endif
        default:
            KernelsBaseline.adamWUpdate(
                parameters: parameters, gradients: gradients, firstMoment: firstMoment, secondMoment: secondMoment,
                count: count, decay: decay, firstRate: firstRate, secondKeep: secondKeep, secondRate: secondRate,
                stepSize: stepSize, secondCorrection: secondCorrection, epsilon: Float(epsilon),
                gradientScale: gradientScale
            )
        }
    }

    /// base to the power `exponent` by repeated squaring: the same bits on every machine.
    static func power(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0
        var square = base
        var left = exponent
        while left > 0 {
            if left & 1 == 1 { result *= square }
            square *= square
            left >>= 1
        }
        return result
    }
}
