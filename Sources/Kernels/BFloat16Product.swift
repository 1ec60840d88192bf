import CSIMD
internal import KernelsBaseline

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
    internal import KernelsAVX512BF16
#endif

/// A lane of 32 bits: two bfloat16 values, the first in the low half. In rows that `BFloat16Product.round` gives where the
/// instruction set multiplies no pairs, one value as a float.
public typealias BFloat16Pair = UInt32

/// Products of bfloat16 activations with bfloat16 weights, summed in single precision.
///
/// They mirror `MatrixProduct`, with pairs for floats: what is summed over is taken two at a time. For a linear layer
/// Y = X Wᵀ with W [outputs, depth], X [rows, depth] and dY [rows, outputs]:
///
/// | product | activations, by | weights, by |
/// | --- | --- | --- |
/// | Y | X, `round` | W, `pack` |
/// | dX = dY W | dY, `round` | W, `packTransposed` |
/// | dW += dYᵀ X | dY and X, rounded by `weightGradient` itself | |
///
/// Values are rounded to nearest even; denormals become zero. Every element of a result is one chain over the summed
/// index in pairs: first the second value of a pair, then the first, each one multiply-add with a single rounding
/// (as the instruction VDPBF16PS defines). So a result does not depend on the other rows and columns, and for normal
/// values not on the instruction set.
public enum BFloat16Product {
    /// The pairs that hold `width` values: ⌈width / 2⌉.
    public static func pairCount(_ width: Int) -> Int {
        (width + 1) / 2
    }

    /// The pairs that `pack` writes: ⌈outputs / 32⌉ · 32 · ⌈depth / 2⌉.
    public static func packedCount(outputs: Int, depth: Int) -> Int {
        MatrixProduct.packedCount(outputs: outputs, depth: pairCount(depth))
    }

    /// The pairs of workspace that `pack` needs.
    public static func packWorkspace(depth: Int) -> Int {
        MatrixProduct.panelWidth * pairCount(depth)
    }

    /// The lanes that a row of `width` activations takes, rounded: its pairs or, where the instruction set multiplies none, as
    /// many floats.
    public static func roundedCount(_ width: Int) -> Int {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16: KernelsAVX512BF16.roundedCount(width)
            case .avx512: KernelsAVX512.roundedCount(width)
            case .avx2: KernelsAVX2.roundedCount(width)
        #endif
        default: KernelsBaseline.roundedCount(width)
        }
    }

    /// Bytes of its thread's stack that a product of several rows takes as room for single values: none where tiles take pairs as
    /// they are, or are too low for it to pay.
    public static var stackRoom: Int {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16, .baseline: 0
        #endif
        default: MemoryLayout<Float>.stride * Int(CSIMD_ROOM)
        }
    }

    /// The most lanes of a rounded row that a product of many rows reads before it goes on to other rows.
    public static var roundedBlock: Int {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16: KernelsAVX512BF16.roundedBlock()
            case .avx512: KernelsAVX512.roundedBlock()
            case .avx2: KernelsAVX2.roundedBlock()
        #endif
        default: KernelsBaseline.roundedBlock()
        }
    }

    /// Rounds X [rows, width], a row every `rowStride` floats, to rows as `multiply` reads them: pairs of neighbouring columns
    /// or, where the instruction set multiplies none, floats, the second of each pair first. An odd column is paired with
    /// zero.
    ///
    /// - Parameter roundedStride: lanes from one row to the next; `roundedCount(width)` by default.
    public static func round(
        _ source: UnsafePointer<Float>, rows: Int, rowStride: Int, width: Int,
        into rounded: UnsafeMutablePointer<BFloat16Pair>, roundedStride: Int? = nil
    ) {
        let roundedStride = roundedStride ?? roundedCount(width)
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.roundRows(
                    source, rows: rows, rowStride: rowStride, width: width, into: rounded, roundedStride: roundedStride)
            case .avx512:
                KernelsAVX512.roundRows(
                    source, rows: rows, rowStride: rowStride, width: width, into: rounded, roundedStride: roundedStride)
            case .avx2:
                KernelsAVX2.roundRows(
                    source, rows: rows, rowStride: rowStride, width: width, into: rounded, roundedStride: roundedStride)
        #endif
        default:
            KernelsBaseline.roundRows(
                source, rows: rows, rowStride: rowStride, width: width, into: rounded, roundedStride: roundedStride)
        }
    }

    /// Packs W [outputs, depth], row-major, for `multiply` with it: panels [⌈outputs / 32⌉][⌈depth / 2⌉][32].
    ///
    /// - Parameters:
    ///   - packed: takes `packedCount(outputs: outputs, depth: depth)` pairs.
    ///   - workspace: `packWorkspace(depth:)` pairs, of any content.
    public static func pack(
        weight: UnsafePointer<Float>, outputs: Int, depth: Int, into packed: UnsafeMutablePointer<BFloat16Pair>,
        workspace: UnsafeMutablePointer<BFloat16Pair>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.packWeightPairs(
                    weight, outputs: outputs, depth: depth, into: packed, workspace: workspace)
            case .avx512:
                KernelsAVX512.packWeightPairs(
                    weight, outputs: outputs, depth: depth, into: packed, workspace: workspace)
            case .avx2:
                KernelsAVX2.packWeightPairs(weight, outputs: outputs, depth: depth, into: packed, workspace: workspace)
        #endif
        default:
            KernelsBaseline.packWeightPairs(weight, outputs: outputs, depth: depth, into: packed, workspace: workspace)
        }
    }

    /// Packs W [outputs, depth], row-major, for dX = dY W: panels [⌈depth / 32⌉][⌈outputs / 2⌉][32]. `multiply` then
    /// takes `depth` as its outputs and `outputs` as its depth.
    ///
    /// - Parameter packed: takes `packedCount(outputs: depth, depth: outputs)` pairs.
    public static func packTransposed(
        weight: UnsafePointer<Float>, outputs: Int, depth: Int, into packed: UnsafeMutablePointer<BFloat16Pair>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.packTransposedWeightPairs(weight, outputs: outputs, depth: depth, into: packed)
            case .avx512:
                KernelsAVX512.packTransposedWeightPairs(weight, outputs: outputs, depth: depth, into: packed)
            case .avx2:
                KernelsAVX2.packTransposedWeightPairs(weight, outputs: outputs, depth: depth, into: packed)
        #endif
        default:
            KernelsBaseline.packTransposedWeightPairs(weight, outputs: outputs, depth: depth, into: packed)
        }
    }

    /// C[rows, outputs] = A[rows, depth] · packed, or += where `accumulating`. A is what `round` gives. Of C only
    /// these rows and columns are touched.
    ///
    /// - Parameters:
    ///   - rowStride: lanes from one row of A to the next; `roundedCount(depth)` by default.
    ///   - coming: brought near meanwhile.
    public static func multiply(
        _ a: UnsafePointer<BFloat16Pair>, rows: Int, packed: UnsafePointer<BFloat16Pair>, outputs: Int, depth: Int,
        into c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool,
        rowStride: Int? = nil, coming: ComingReads = .none
    ) {
        let pairs = pairCount(depth)
        let rowStride = rowStride ?? roundedCount(depth)
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.multiplyPairs(
                    a, rows: rows, rowStride: rowStride, packed: packed, outputs: outputs, depth: pairs, into: c,
                    resultStride: resultStride, accumulating: accumulating, coming: coming.parts)
            case .avx512:
                KernelsAVX512.multiplyPairs(
                    a, rows: rows, rowStride: rowStride, packed: packed, outputs: outputs, depth: pairs, into: c,
                    resultStride: resultStride, accumulating: accumulating, coming: coming.parts)
            case .avx2:
                KernelsAVX2.multiplyPairs(
                    a, rows: rows, rowStride: rowStride, packed: packed, outputs: outputs, depth: pairs, into: c,
                    resultStride: resultStride, accumulating: accumulating, coming: coming.parts)
        #endif
        default:
            KernelsBaseline.multiplyPairs(
                a, rows: rows, rowStride: rowStride, packed: packed, outputs: outputs, depth: pairs, into: c,
                resultStride: resultStride, accumulating: accumulating, coming: coming.parts)
        }
    }

    /// C[rows, outputs] = A[rows, depth] · packed, or += where `accumulating`, for A in floats, a row every `rowStride`, which are
    /// rounded on the way: the same bits as `round` and `multiply`, in less time.
    ///
    /// - Parameters:
    ///   - rounded: takes what `round` gives, a row every `roundedStride` lanes.
    ///   - coming: brought near meanwhile.
    public static func multiply(
        rounding a: UnsafePointer<Float>, rows: Int, rowStride: Int, to rounded: UnsafeMutablePointer<BFloat16Pair>,
        roundedStride: Int, packed: UnsafePointer<BFloat16Pair>, outputs: Int, depth: Int,
        into c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool, coming: ComingReads
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.multiplyRounding(
                    a, rows: rows, rowStride: rowStride, width: depth, rounded: rounded, roundedStride: roundedStride,
                    packed: packed, outputs: outputs, into: c, resultStride: resultStride, accumulating: accumulating,
                    coming: coming.parts)
            case .avx512:
                KernelsAVX512.multiplyRounding(
                    a, rows: rows, rowStride: rowStride, width: depth, rounded: rounded, roundedStride: roundedStride,
                    packed: packed, outputs: outputs, into: c, resultStride: resultStride, accumulating: accumulating,
                    coming: coming.parts)
            case .avx2:
                KernelsAVX2.multiplyRounding(
                    a, rows: rows, rowStride: rowStride, width: depth, rounded: rounded, roundedStride: roundedStride,
                    packed: packed, outputs: outputs, into: c, resultStride: resultStride, accumulating: accumulating,
                    coming: coming.parts)
        #endif
        default:
            KernelsBaseline.multiplyRounding(
                a, rows: rows, rowStride: rowStride, width: depth, rounded: rounded, roundedStride: roundedStride,
                packed: packed, outputs: outputs, into: c, resultStride: resultStride, accumulating: accumulating,
                coming: coming.parts)
        }
    }

    /// The floats of workspace that `weightGradient` needs.
    public static func weightGradientWorkspace(rows: Int, inputs: Int) -> Int {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16: KernelsAVX512BF16.weightGradientWorkspace(rows: rows, inputs: inputs, pairs: true)
            case .avx512: KernelsAVX512.weightGradientWorkspace(rows: rows, inputs: inputs, pairs: true)
            case .avx2: KernelsAVX2.weightGradientWorkspace(rows: rows, inputs: inputs, pairs: true)
        #endif
        default: KernelsBaseline.weightGradientWorkspace(rows: rows, inputs: inputs, pairs: true)
        }
    }

    /// dW[outputs, inputs] += dYᵀ X for dY [rows, outputs] and X [rows, inputs], which are rounded meanwhile: two rows form
    /// pairs, an odd row one with zeros. dW is row-major without gaps.
    ///
    /// - Parameters:
    ///   - outputStride, inputStride: floats from one row to the next.
    ///   - workspace: `weightGradientWorkspace(rows:inputs:)` floats, of any content.
    public static func weightGradient(
        outputGradient: UnsafePointer<Float>, outputStride: Int, input: UnsafePointer<Float>, inputStride: Int,
        rows: Int, outputs: Int, inputs: Int, accumulatingInto gradient: UnsafeMutablePointer<Float>,
        workspace: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.weightGradientPairs(
                    outputGradient: outputGradient, outputStride: outputStride, input: input, inputStride: inputStride,
                    rows: rows, outputs: outputs, inputs: inputs, accumulatingInto: gradient, workspace: workspace)
            case .avx512:
                KernelsAVX512.weightGradientPairs(
                    outputGradient: outputGradient, outputStride: outputStride, input: input, inputStride: inputStride,
                    rows: rows, outputs: outputs, inputs: inputs, accumulatingInto: gradient, workspace: workspace)
            case .avx2:
                KernelsAVX2.weightGradientPairs(
                    outputGradient: outputGradient, outputStride: outputStride, input: input, inputStride: inputStride,
                    rows: rows, outputs: outputs, inputs: inputs, accumulatingInto: gradient, workspace: workspace)
        #endif
        default:
            KernelsBaseline.weightGradientPairs(
                outputGradient: outputGradient, outputStride: outputStride, input: input, inputStride: inputStride,
                rows: rows, outputs: outputs, inputs: inputs, accumulatingInto: gradient, workspace: workspace)
        }
    }
}
