internal import KernelsBaseline

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
    internal import KernelsAVX512BF16
#endif

/// Plain operations on `count` floats.
public enum Elementwise {
    /// y += x.
    public static func add(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.elementwiseAdd(x, into: y, count: count)
            case .avx512:
                KernelsAVX512.elementwiseAdd(x, into: y, count: count)
            case .avx2:
                KernelsAVX2.elementwiseAdd(x, into: y, count: count)
        #endif
        default:
            KernelsBaseline.elementwiseAdd(x, into: y, count: count)
        }
    }

    /// x *= factor.
    public static func scale(_ x: UnsafeMutablePointer<Float>, by factor: Float, count: Int) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.elementwiseScale(x, by: factor, count: count)
            case .avx512:
                KernelsAVX512.elementwiseScale(x, by: factor, count: count)
            case .avx2:
                KernelsAVX2.elementwiseScale(x, by: factor, count: count)
        #endif
        default:
            KernelsBaseline.elementwiseScale(x, by: factor, count: count)
        }
    }

    /// Sets every element to `value`.
    public static func fill(_ x: UnsafeMutablePointer<Float>, with value: Float, count: Int) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.elementwiseFill(x, with: value, count: count)
            case .avx512:
                KernelsAVX512.elementwiseFill(x, with: value, count: count)
            case .avx2:
                KernelsAVX2.elementwiseFill(x, with: value, count: count)
        #endif
        default:
            KernelsBaseline.elementwiseFill(x, with: value, count: count)
        }
    }

    /// Σ x², accumulated in double precision in a fixed order.
    public static func sumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Double {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.elementwiseSumOfSquares(x, count: count)
            case .avx512:
                KernelsAVX512.elementwiseSumOfSquares(x, count: count)
            case .avx2:
                KernelsAVX2.elementwiseSumOfSquares(x, count: count)
        #endif
        default:
            KernelsBaseline.elementwiseSumOfSquares(x, count: count)
        }
    }

    /// Whether no element is infinite or not a number.
    public static func isFinite(_ x: UnsafePointer<Float>, count: Int) -> Bool {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.elementwiseIsFinite(x, count: count)
            case .avx512:
                KernelsAVX512.elementwiseIsFinite(x, count: count)
            case .avx2:
                KernelsAVX2.elementwiseIsFinite(x, count: count)
        #endif
        default:
            KernelsBaseline.elementwiseIsFinite(x, count: count)
        }
    }
}
