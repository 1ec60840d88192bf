import Kernels

extension Backpropagation {
    /// Adds the gradient of a layer's matrix, or of its adapters, for the product of `input` [rows][inputs] that gave rows
    /// with `outputGradient` [rows][outputs].
    func accumulate(
        _ block: ProjectionBlock, _ layer: Int, _ outputGradient: UnsafePointer<Float>, _ input: UnsafePointer<Float>,
        into target: GradientTarget
    ) {
        let outputs = block.outputs(configuration)
        let inputs = block.inputs(configuration)
        switch target {
        case .parameters(let layout, let gradient):
            accumulate(
                outputGradient, input, rows: batch.rowCount, outputs: outputs, inputs: inputs,
                into: gradient + layout.layers[layer][block])
        case .adapters(let panels, let gradient):
            for (index, site) in panels.layout.layers[layer].enumerated() where site.projection.block == block {
                accumulate(
                    site, a: panels.a(layer, index), b: panels.b(layer, index), rank: panels.configuration.rank,
                    outputGradient: outputGradient + site.firstRow, outputStride: outputs, input: input, into: gradient)
            }
        }
    }

    /// weightGradient [outputs][inputs] += outputGradientᵀ · input, in the configuration's precision.
    func accumulate(
        _ outputGradient: UnsafePointer<Float>, _ input: UnsafePointer<Float>, rows: Int, outputs: Int, inputs: Int,
        into weightGradient: UnsafeMutablePointer<Float>
    ) {
        WeightGradient.add(
            outputGradient: outputGradient, input: input, rows: rows, outputs: outputs, inputs: inputs,
            to: weightGradient, precision: configuration.precision, workspace: gradients.productWorkspace.pointer)
    }

    /// In single precision, dB += dYᵀ (X (s A)ᵀ) and dA += (dY (s B))ᵀ X, by way of [rows][rank].
    private func accumulate(
        _ site: AdapterLayout.Site, a: UnsafePointer<Float>, b: UnsafePointer<Float>, rank: Int,
        outputGradient: UnsafePointer<Float>, outputStride: Int, input: UnsafePointer<Float>,
        into gradient: UnsafeMutablePointer<Float>
    ) {
        let rows = batch.rowCount
        let low = gradients.lowRank.pointer
        let workspace = gradients.productWorkspace.pointer
        MatrixProduct.multiply(
            input, rows: rows, rowStride: site.inputs, packed: a, outputs: rank, depth: site.inputs, into: low,
            resultStride: rank, accumulating: false)
        MatrixProduct.weightGradient(
            outputGradient: outputGradient, outputStride: outputStride, input: low, inputStride: rank, rows: rows,
            outputs: site.outputs, inputs: rank, accumulatingInto: gradient + site.b, workspace: workspace)
        MatrixProduct.multiply(
            outputGradient, rows: rows, rowStride: outputStride, packed: b, outputs: rank, depth: site.outputs,
            into: low, resultStride: rank, accumulating: false)
        MatrixProduct.weightGradient(
            outputGradient: low, outputStride: rank, input: input, inputStride: site.inputs, rows: rows, outputs: rank,
            inputs: site.inputs, accumulatingInto: gradient + site.a, workspace: workspace)
    }

    /// sum [width] += Σ rows of x [rows][width], rows ascending.
    func addRows(_ x: UnsafePointer<Float>, width: Int, into sum: UnsafeMutablePointer<Float>) {
        for row in 0..<batch.rowCount {
            Elementwise.add(x + row * width, into: sum, count: width)
        }
    }
}
