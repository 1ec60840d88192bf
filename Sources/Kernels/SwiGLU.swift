internal import KernelsBaseline

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
    internal import KernelsAVX512BF16
#endif

/// The gated unit silu(gate) · up (Shazeer, arXiv 2002.05202) with silu(g) = g / (1 + e^-g). A row of `gateUp` holds
/// `width` gates and then `width` ups.
public enum SwiGLU {
    /// output[rows, width] = silu(gate) · up for `gateUp` [rows, 2 width].
    public static func forward(
        gateUp: UnsafePointer<Float>, rows: Int, width: Int, output: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.gatedForward(gateUp: gateUp, rows: rows, width: width, output: output)
            case .avx512:
                KernelsAVX512.gatedForward(gateUp: gateUp, rows: rows, width: width, output: output)
            case .avx2:
                KernelsAVX2.gatedForward(gateUp: gateUp, rows: rows, width: width, output: output)
        #endif
        default:
            KernelsBaseline.gatedForward(gateUp: gateUp, rows: rows, width: width, output: output)
        }
    }

    /// Overwrites `gateUpGradient` [rows, 2 width] with the gradients of gates and ups for `outputGradient` [rows,
    /// width].
    public static func backward(
        gateUp: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, rows: Int, width: Int,
        gateUpGradient: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.gatedBackward(
                    gateUp: gateUp, outputGradient: outputGradient, rows: rows, width: width,
                    gateUpGradient: gateUpGradient
                )
            case .avx512:
                KernelsAVX512.gatedBackward(
                    gateUp: gateUp, outputGradient: outputGradient, rows: rows, width: width,
                    gateUpGradient: gateUpGradient
                )
            case .avx2:
                KernelsAVX2.gatedBackward(
                    gateUp: gateUp, outputGradient: outputGradient, rows: rows, width: width,
                    gateUpGradient: gateUpGradient
                )
        #endif
        default:
            KernelsBaseline.gatedBackward(
                gateUp: gateUp, outputGradient: outputGradient, rows: rows, width: width, gateUpGradient: gateUpGradient
            )
        }
    }
}
