import Kernels

/// dW [outputs, inputs] += dYᵀ X, in the numbers that a precision says; rows stand without gaps.
package enum WeightGradient {
    /// Rows that are rounded at a time, an even number: few enough for the second-level cache.
    private static let blockRows = 512

    /// Floats of workspace.
    package static func workspaceCount(rows: Int, outputs: Int, inputs: Int, precision: Precision) -> Int {
        switch precision {
        case .float32: return MatrixProduct.weightGradientWorkspace(rows: rows, outputs: outputs, inputs: inputs)
        case .bfloat16:
            // The last block may be shorter, and need more.
            let blocks = [min(rows, blockRows), rows % blockRows]
            return blocks.map {
                BFloat16Product.weightGradientWorkspace(rows: $0, outputs: outputs, inputs: inputs)
            }.max() ?? 0
        }
    }

    /// Pairs of scratch.
    package static func scratchCount(rows: Int, outputs: Int, inputs: Int, precision: Precision) -> Int {
        switch precision {
        case .float32: 0
        case .bfloat16: BFloat16Product.pairCount(min(rows, blockRows)) * (outputs + inputs)
        }
    }

    package static func add(
        outputGradient: UnsafePointer<Float>, input: UnsafePointer<Float>, rows: Int, outputs: Int, inputs: Int,
        to gradient: UnsafeMutablePointer<Float>, precision: Precision, workspace: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<BFloat16Pair>
    ) {
        switch precision {
        case .float32:
            MatrixProduct.weightGradient(
                outputGradient: outputGradient, outputStride: outputs, input: input, inputStride: inputs, rows: rows,
                outputs: outputs, inputs: inputs, accumulatingInto: gradient, workspace: workspace)
        case .bfloat16:
            for first in stride(from: 0, to: rows, by: blockRows) {
                let count = min(blockRows, rows - first)
                let roundedInput = scratch + BFloat16Product.pairCount(count) * outputs
                BFloat16Product.pairRows(
                    outputGradient + first * outputs, rows: count, rowStride: outputs, width: outputs, into: scratch)
                BFloat16Product.pairRows(
                    input + first * inputs, rows: count, rowStride: inputs, width: inputs, into: roundedInput)
                BFloat16Product.weightGradient(
                    outputGradient: scratch, input: roundedInput, rows: count, outputs: outputs, inputs: inputs,
                    accumulatingInto: gradient, workspace: workspace)
            }
        }
    }
}
