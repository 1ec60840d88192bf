import Kernels
import Pipelines

extension Backpropagation {
    /// A stage: adds the gradient of a layer's matrix, or of its adapters, for the product of `input` [rows][inputs] that gave rows
    /// with `outputGradient` [rows][outputs]; and beside it does `body` for all rows in parts.
    func perform(
        _ block: ProjectionBlock, _ layer: Int, _ outputGradient: UnsafePointer<Float>, _ input: UnsafePointer<Float>,
        _ task: BackwardTask, _ member: inout TeamMember, _ workspace: PassWorkspace,
        besideRows body: (Range<Int>) -> Void
    ) {
        let gradientParts = gradientParts(block, layer, task)
        let rowParts = parts.rowParts(batch.rowCount)
        member.perform(gradientParts + rowParts) { tile in
            if tile < gradientParts {
                accumulate(
                    block, layer, tile, of: gradientParts, outputGradient, input, into: task.target, workspace)
            } else {
                body(PassParts.range(tile - gradientParts, of: rowParts, over: batch.rowCount))
            }
        }
    }

    /// The same beside something that is done once, and first, since it is the longest where many threads share the rest.
    func perform(
        _ block: ProjectionBlock, _ layer: Int, _ outputGradient: UnsafePointer<Float>, _ input: UnsafePointer<Float>,
        _ task: BackwardTask, _ member: inout TeamMember, _ workspace: PassWorkspace, beside body: () -> Void
    ) {
        let gradientParts = gradientParts(block, layer, task)
        member.perform(1 + gradientParts) { tile in
            if tile == 0 {
                body()
            } else {
                accumulate(
                    block, layer, tile - 1, of: gradientParts, outputGradient, input, into: task.target, workspace)
            }
        }
    }

    /// A stage: adds the gradient of the head, or of its adapter, beside `body`, which is done once.
    func performHead(
        _ task: BackwardTask, _ member: inout TeamMember, _ workspace: PassWorkspace, beside body: () -> Void
    ) {
        let gradientParts = headGradientParts(task)
        member.perform(1 + gradientParts) { tile in
            if tile == 0 {
                body()
            } else {
                accumulateHead(tile - 1, of: gradientParts, into: task.target, workspace)
            }
        }
    }

    /// Likewise in parts: see `gradientParts`.
    private func headGradientParts(_ task: BackwardTask) -> Int {
        switch task.target {
        case .parameters: parts.gradientParts(configuration.vocabularySize)
        case .adapters(let panels, _): panels.layout.head == nil ? 0 : 1
        }
    }

    private func accumulateHead(
        _ part: Int, of parts: Int, into target: GradientTarget, _ workspace: PassWorkspace
    ) {
        let vocabulary = configuration.vocabularySize
        let targets = batch.targets.count
        switch target {
        case .parameters(let layout, let gradient):
            WeightGradient.add(
                PassParts.range(part, of: parts, over: vocabulary), outputGradient: logits.pointer,
                input: targetRows.pointer, rows: targets, outputs: vocabulary, inputs: configuration.hiddenSize,
                to: gradient + layout.head, precision: configuration.precision, workspace: workspace.product.pointer)
        case .adapters(let panels, let gradient):
            guard let site = panels.layout.head else { return }
            accumulate(
                site, panels, outputGradient: logits.pointer, outputStride: vocabulary, input: targetRows.pointer,
                rows: targets, into: gradient, workspace: workspace.product.pointer)
        }
    }

    /// Adapters are narrow: theirs is one part, or none where the block has none.
    private func gradientParts(_ block: ProjectionBlock, _ layer: Int, _ task: BackwardTask) -> Int {
        switch task.target {
        case .parameters: parts.gradientParts(block.outputs(configuration))
        case .adapters(let panels, _):
            panels.layout.layers[layer].contains { $0.projection.block == block } ? 1 : 0
        }
    }

    private func accumulate(
        _ block: ProjectionBlock, _ layer: Int, _ part: Int, of parts: Int, _ outputGradient: UnsafePointer<Float>,
        _ input: UnsafePointer<Float>, into target: GradientTarget, _ workspace: PassWorkspace
    ) {
        let outputs = block.outputs(configuration)
        switch target {
        case .parameters(let layout, let gradient):
            WeightGradient.add(
                PassParts.range(part, of: parts, over: outputs), outputGradient: outputGradient, input: input,
                rows: batch.rowCount, outputs: outputs, inputs: block.inputs(configuration),
                to: gradient + layout.layers[layer][block], precision: configuration.precision,
                workspace: workspace.product.pointer)
        case .adapters(let panels, let gradient):
            for site in panels.layout.layers[layer] where site.projection.block == block {
                accumulate(
                    site, panels, outputGradient: outputGradient + site.firstRow, outputStride: outputs, input: input,
                    rows: batch.rowCount, into: gradient, workspace: workspace.product.pointer)
            }
        }
    }

    /// In single precision, dB += dYᵀ (X (s A)ᵀ) and dA += (dY (s B))ᵀ X, by way of [rows][rank].
    private func accumulate(
        _ site: AdapterLayout.Site, _ panels: AdapterPanels, outputGradient: UnsafePointer<Float>, outputStride: Int,
        input: UnsafePointer<Float>, rows: Int, into gradient: UnsafeMutablePointer<Float>,
        workspace: UnsafeMutablePointer<Float>
    ) {
        let rank = panels.configuration.rank
        let low = gradients.lowRank.pointer
        MatrixProduct.multiply(
            input, rows: rows, rowStride: site.inputs, packed: panels.a(site), outputs: rank, depth: site.inputs,
            into: low, resultStride: rank, accumulating: false)
        MatrixProduct.weightGradient(
            outputGradient: outputGradient, outputStride: outputStride, input: low, inputStride: rank, rows: rows,
            outputs: site.outputs, inputs: rank, accumulatingInto: gradient + site.b, workspace: workspace)
        MatrixProduct.multiply(
            outputGradient, rows: rows, rowStride: outputStride, packed: panels.b(site), outputs: rank,
            depth: site.outputs, into: low, resultStride: rank, accumulating: false)
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
