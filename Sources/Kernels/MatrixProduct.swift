internal import KernelsBaseline

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
    internal import KernelsAVX512BF16
#endif

/// Products of activations with packed weights, in single precision.
///
/// A linear layer Y = X Wᵀ with W [outputs, depth], as PyTorch has it, takes three products: Y itself (`pack`,
/// `multiply`), dX = dY W (`packTransposed`, `multiply`) and dW += dYᵀ X (`weightGradient`). Every element of a result
/// is one chain of multiply-adds over the summed index in ascending order, from zero or from the value that it
/// accumulates into: it does not depend on the other rows or columns. Pointers need no alignment beyond 4 bytes; a
/// stride is the distance of two rows in floats. Results must not overlap inputs.
public enum MatrixProduct {
    /// Columns of a packed panel.
    public static let panelWidth = 32

    /// The floats that `pack` writes: ⌈outputs / 32⌉ · 32 · depth.
    public static func packedCount(outputs: Int, depth: Int) -> Int {
        (outputs + panelWidth - 1) / panelWidth * panelWidth * depth
    }

    /// Packs W [outputs, depth], row-major, for `multiply` with it: panels [⌈outputs / 32⌉][depth][32], zero padded.
    ///
    /// - Parameter packed: takes `packedCount(outputs: outputs, depth: depth)` floats.
    public static func pack(
        weight: UnsafePointer<Float>, outputs: Int, depth: Int, into packed: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.packWeight(weight, outputs: outputs, depth: depth, into: packed)
            case .avx512:
                KernelsAVX512.packWeight(weight, outputs: outputs, depth: depth, into: packed)
            case .avx2:
                KernelsAVX2.packWeight(weight, outputs: outputs, depth: depth, into: packed)
        #endif
        default:
            KernelsBaseline.packWeight(weight, outputs: outputs, depth: depth, into: packed)
        }
    }

    /// Packs W [outputs, depth], row-major, for dX = dY W: panels [⌈depth / 32⌉][outputs][32], zero padded. `multiply`
    /// then takes `depth` as its outputs and `outputs` as its depth.
    ///
    /// - Parameter packed: takes `packedCount(outputs: depth, depth: outputs)` floats.
    public static func packTransposed(
        weight: UnsafePointer<Float>, outputs: Int, depth: Int, into packed: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.packTransposedWeight(weight, outputs: outputs, depth: depth, into: packed)
            case .avx512:
                KernelsAVX512.packTransposedWeight(weight, outputs: outputs, depth: depth, into: packed)
            case .avx2:
                KernelsAVX2.packTransposedWeight(weight, outputs: outputs, depth: depth, into: packed)
        #endif
        default:
            KernelsBaseline.packTransposedWeight(weight, outputs: outputs, depth: depth, into: packed)
        }
    }

    /// C[rows, outputs] = A[rows, depth] · packed, or += where `accumulating`. Of C only these rows and columns are
    /// touched.
    ///
    /// - Parameter coming: brought near meanwhile.
    public static func multiply(
        _ a: UnsafePointer<Float>, rows: Int, rowStride: Int, packed: UnsafePointer<Float>, outputs: Int, depth: Int,
        into c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool,
        coming: ComingReads = .none
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.multiply(
                    a, rows: rows, rowStride: rowStride, packed: packed, outputs: outputs, depth: depth, into: c,
                    resultStride: resultStride, accumulating: accumulating, coming: coming.parts
                )
            case .avx512:
                KernelsAVX512.multiply(
                    a, rows: rows, rowStride: rowStride, packed: packed, outputs: outputs, depth: depth, into: c,
                    resultStride: resultStride, accumulating: accumulating, coming: coming.parts
                )
            case .avx2:
                KernelsAVX2.multiply(
                    a, rows: rows, rowStride: rowStride, packed: packed, outputs: outputs, depth: depth, into: c,
                    resultStride: resultStride, accumulating: accumulating, coming: coming.parts
                )
        #endif
        default:
            KernelsBaseline.multiply(
                a, rows: rows, rowStride: rowStride, packed: packed, outputs: outputs, depth: depth, into: c,
                resultStride: resultStride, accumulating: accumulating, coming: coming.parts
            )
        }
    }

    /// The floats of workspace that `weightGradient` needs.
    public static func weightGradientWorkspace(rows: Int, inputs: Int) -> Int {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16: KernelsAVX512BF16.weightGradientWorkspace(rows: rows, inputs: inputs, pairs: false)
            case .avx512: KernelsAVX512.weightGradientWorkspace(rows: rows, inputs: inputs, pairs: false)
            case .avx2: KernelsAVX2.weightGradientWorkspace(rows: rows, inputs: inputs, pairs: false)
        #endif
        default: KernelsBaseline.weightGradientWorkspace(rows: rows, inputs: inputs, pairs: false)
        }
    }

    /// dW[outputs, inputs] += dYᵀ X for dY [rows, outputs] and X [rows, inputs]; dW is row-major without gaps.
    ///
    /// - Parameters:
    ///   - outputStride, inputStride: floats from one row of dY, and of X, to the next.
    ///   - workspace: `weightGradientWorkspace(rows:inputs:)` floats, of any content.
    public static func weightGradient(
        outputGradient: UnsafePointer<Float>, outputStride: Int, input: UnsafePointer<Float>, inputStride: Int,
        rows: Int, outputs: Int, inputs: Int, accumulatingInto gradient: UnsafeMutablePointer<Float>,
        workspace: UnsafeMutablePointer<Float>
    ) {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.weightGradient(
                    outputGradient: outputGradient, outputStride: outputStride, input: input, inputStride: inputStride,
                    rows: rows, outputs: outputs, inputs: inputs, accumulatingInto: gradient, workspace: workspace
                )
            case .avx512:
                KernelsAVX512.weightGradient(
                    outputGradient: outputGradient, outputStride: outputStride, input: input, inputStride: inputStride,
                    rows: rows, outputs: outputs, inputs: inputs, accumulatingInto: gradient, workspace: workspace
                )
            case .avx2:
                KernelsAVX2.weightGradient(
                    outputGradient: outputGradient, outputStride: outputStride, input: input, inputStride: inputStride,
                    rows: rows, outputs: outputs, inputs: inputs, accumulatingInto: gradient, workspace: workspace
                )
        #endif
        default:
            KernelsBaseline.weightGradient(
                outputGradient: outputGradient, outputStride: outputStride, input: input, inputStride: inputStride,
                rows: rows, outputs: outputs, inputs: inputs, accumulatingInto: gradient, workspace: workspace
            )
        }
    }
}
