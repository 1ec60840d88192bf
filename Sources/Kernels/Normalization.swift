internal import KernelsBaseline

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
    internal import KernelsAVX512BF16
#endif

/// Root mean square normalisation (Zhang and Sennrich, arXiv 1910.07467), as Llama has it, over rows without gaps.
public enum Normalization {
    /// y = x r w with r = 1 / √(mean(x²) + epsilon) for every row.
    ///
    /// - Parameters:
    ///   - input: [rows, width].
    ///   - weight: [width].
    ///   - output: [rows, width]; may be `input`.
    ///   - reciprocal: [rows], takes r.
    public static func forward(
        input: UnsafePointer<Float>, weight: UnsafePointer<Float>, rows: Int, width: Int, epsilon: Float,
        output: UnsafeMutablePointer<Float>, reciprocal: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.normalizationForward(
                    input: input, weight: weight, rows: rows, width: width, epsilon: epsilon, output: output,
                    reciprocal: reciprocal
                )
            case .avx512:
                KernelsAVX512.normalizationForward(
                    input: input, weight: weight, rows: rows, width: width, epsilon: epsilon, output: output,
                    reciprocal: reciprocal
                )
            case .avx2:
                KernelsAVX2.normalizationForward(
                    input: input, weight: weight, rows: rows, width: width, epsilon: epsilon, output: output,
                    reciprocal: reciprocal
                )
        #endif
        default:
            KernelsBaseline.normalizationForward(
                input: input, weight: weight, rows: rows, width: width, epsilon: epsilon, output: output,
                reciprocal: reciprocal
            )
        }
    }

    /// Adds the gradients: dx += r (w dy - x r² mean(w dy x)) and dw += Σ dy x r over rows ascending.
    ///
    /// - Parameters:
    ///   - outputGradient: dy, [rows, width].
    ///   - reciprocal: [rows], from `forward`.
    ///   - inputGradient: dx, [rows, width], accumulated into.
    ///   - weightGradient: dw, [width], accumulated into.
    public static func backward(
        outputGradient: UnsafePointer<Float>, input: UnsafePointer<Float>, weight: UnsafePointer<Float>,
        reciprocal: UnsafePointer<Float>, rows: Int, width: Int, inputGradient: UnsafeMutablePointer<Float>,
        weightGradient: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.normalizationBackward(
                    outputGradient: outputGradient, input: input, weight: weight, reciprocal: reciprocal, rows: rows,
                    width: width, inputGradient: inputGradient, weightGradient: weightGradient
                )
            case .avx512:
                KernelsAVX512.normalizationBackward(
                    outputGradient: outputGradient, input: input, weight: weight, reciprocal: reciprocal, rows: rows,
                    width: width, inputGradient: inputGradient, weightGradient: weightGradient
                )
            case .avx2:
                KernelsAVX2.normalizationBackward(
                    outputGradient: outputGradient, input: input, weight: weight, reciprocal: reciprocal, rows: rows,
                    width: width, inputGradient: inputGradient, weightGradient: weightGradient
                )
        #endif
        default:
            KernelsBaseline.normalizationBackward(
                outputGradient: outputGradient, input: input, weight: weight, reciprocal: reciprocal, rows: rows,
                width: width, inputGradient: inputGradient, weightGradient: weightGradient
            )
        }
    }
}
