import Kernels

/// dW [outputs, inputs] += dYᵀ X, in the numbers that a precision says; rows stand without gaps.
package enum WeightGradient {
    /// Floats of workspace.
    package static func workspaceCount(rows: Int, inputs: Int, precision: Precision) -> Int {
        switch precision {
        case .float32: MatrixProduct.weightGradientWorkspace(rows: rows, inputs: inputs)
        case .bfloat16: BFloat16Product.weightGradientWorkspace(rows: rows, inputs: inputs)
        }
    }

    /// Adds the rows `part` of dW, that is, the gradient of those outputs.
    package static func add(
        _ part: Range<Int>, outputGradient: UnsafePointer<Float>, input: UnsafePointer<Float>, rows: Int, outputs: Int,
        inputs: Int,
        to gradient: UnsafeMutablePointer<Float>, precision: Precision, workspace: UnsafeMutablePointer<Float>
    ) {
        let outputGradient = outputGradient + part.lowerBound
        let gradient = gradient + part.lowerBound * inputs
        switch precision {
        case .float32:
            MatrixProduct.weightGradient(
                outputGradient: outputGradient, outputStride: outputs, input: input, inputStride: inputs, rows: rows,
                outputs: part.count, inputs: inputs, accumulatingInto: gradient, workspace: workspace)
        case .bfloat16:
            BFloat16Product.weightGradient(
                outputGradient: outputGradient, outputStride: outputs, input: input, inputStride: inputs, rows: rows,
                outputs: part.count, inputs: inputs, accumulatingInto: gradient, workspace: workspace)
        }
    }
}
