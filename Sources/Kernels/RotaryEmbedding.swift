internal import KernelsBaseline

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
    internal import KernelsAVX512BF16
#endif

/// Rotary position embedding (Su et al., arXiv 2104.09864) in the half-rotating order of Hugging Face: dimension d of a
/// head is paired with d + headDimension / 2. The tables of cosines and sines are [position][headDimension / 2].
public enum RotaryEmbedding {
    /// Rotates every pair (a, b) to (a cos - b sin, b cos + a sin), in place.
    ///
    /// - Parameters:
    ///   - x: `rows` rows, of which head h starts at `h * headDimension`.
    ///   - positions: [rows], each row's position in the tables.
    public static func apply(
        _ x: UnsafeMutablePointer<Float>, rows: Int, rowStride: Int, heads: Int, headDimension: Int,
        positions: UnsafePointer<Int32>, cosine: UnsafePointer<Float>, sine: UnsafePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.rotaryApply(
                    x, rows: rows, rowStride: rowStride, heads: heads, headDimension: headDimension,
                    positions: positions,
                    cosine: cosine, sine: sine
                )
            case .avx512:
                KernelsAVX512.rotaryApply(
                    x, rows: rows, rowStride: rowStride, heads: heads, headDimension: headDimension,
                    positions: positions,
                    cosine: cosine, sine: sine
                )
            case .avx2:
                KernelsAVX2.rotaryApply(
                    x, rows: rows, rowStride: rowStride, heads: heads, headDimension: headDimension,
                    positions: positions,
                    cosine: cosine, sine: sine
                )
        #endif
        default:
            KernelsBaseline.rotaryApply(
                x, rows: rows, rowStride: rowStride, heads: heads, headDimension: headDimension, positions: positions,
                cosine: cosine, sine: sine
            )
        }
    }

    /// Rotates back, by the same angles: the gradient of `apply`, in place.
    public static func applyInverse(
        _ x: UnsafeMutablePointer<Float>, rows: Int, rowStride: Int, heads: Int, headDimension: Int,
        positions: UnsafePointer<Int32>, cosine: UnsafePointer<Float>, sine: UnsafePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.rotaryApplyInverse(
                    x, rows: rows, rowStride: rowStride, heads: heads, headDimension: headDimension,
                    positions: positions,
                    cosine: cosine, sine: sine
                )
            case .avx512:
                KernelsAVX512.rotaryApplyInverse(
                    x, rows: rows, rowStride: rowStride, heads: heads, headDimension: headDimension,
                    positions: positions,
                    cosine: cosine, sine: sine
                )
            case .avx2:
                KernelsAVX2.rotaryApplyInverse(
                    x, rows: rows, rowStride: rowStride, heads: heads, headDimension: headDimension,
                    positions: positions,
                    cosine: cosine, sine: sine
                )
        #endif
        default:
            KernelsBaseline.rotaryApplyInverse(
                x, rows: rows, rowStride: rowStride, heads: heads, headDimension: headDimension, positions: positions,
                cosine: cosine, sine: sine
            )
        }
    }
}
