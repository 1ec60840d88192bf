import Kernels

extension Backpropagation {
    /// Adds to `gradient` the gradient of Σ coefficientᵢ · logProbabilityᵢ over the last forward pass's targets.
    ///
    /// - Parameters:
    ///   - coefficients: one a target.
    ///   - transposed: the matrices of the weights that the forward pass read.
    ///   - gradient: one value a parameter, in the order of `ParameterLayout`.
    public func backward(
        _ coefficients: UnsafeBufferPointer<Float>, transposed: TransposedWeights, layout: ParameterLayout,
        into gradient: UnsafeMutablePointer<Float>
    ) {
        backward(coefficients, transposed: transposed, target: .parameters(layout, gradient))
    }

    /// Likewise for the adapters alone: no gradient of the weights below them is computed, or has room anywhere.
    ///
    /// - Parameters:
    ///   - transposed: the matrices of the weights that the forward pass read, adapters merged in.
    ///   - adapters: the adapters that are merged in.
    ///   - gradient: one value a parameter, in the order of `AdapterLayout`.
    public func backward(
        _ coefficients: UnsafeBufferPointer<Float>, transposed: TransposedWeights, adapters: AdapterPanels,
        into gradient: UnsafeMutablePointer<Float>
    ) {
        precondition(adapters.model.hasMatrices(of: configuration), "the adapters belong to another model")
        backward(coefficients, transposed: transposed, target: .adapters(adapters, gradient))
    }

    private func backward(
        _ coefficients: UnsafeBufferPointer<Float>, transposed: TransposedWeights, target: GradientTarget
    ) {
        precondition(coefficients.count == batch.targets.count, "one coefficient a target")
        guard let weights, batch.rowCount > 0 else { return }
        gradients.prepare(
            rows: batch.rowCount, targets: batch.targets.count, positions: positionCapacity, rank: target.rank)
        backwardHead(coefficients, weights, transposed, target)
        for index in layers.indices.reversed() {
            restore(index, weights)
            backwardFeedForward(index, weights, transposed, target)
            backwardAttention(index, weights, transposed, target)
        }
        guard let embedding = target.tensor(\.embedding) else { return }
        Embedding.scatter(
            gradients.hidden.pointer, tokens: tokens.pointer, rows: batch.rowCount, width: configuration.hiddenSize,
            into: embedding)
    }

    /// Logits, head and final norm; leaves the gradient of the last layer's result in `gradients.hidden`.
    private func backwardHead(
        _ coefficients: UnsafeBufferPointer<Float>, _ weights: PolicyWeights, _ transposed: TransposedWeights,
        _ target: GradientTarget
    ) {
        let width = configuration.hiddenSize
        let vocabulary = configuration.vocabularySize
        let rows = batch.rowCount
        for (index, target) in batch.targets.enumerated() {
            Softmax.gradient(
                logits.pointer + index * vocabulary, count: vocabulary, scale: 1 / temperature,
                logSumExp: targetLogSumExp.pointer[index], target: Int(target.token), coefficient: coefficients[index],
                into: gradients.logits.pointer + index * vocabulary)
        }
        if let head = target.tensor(\.head) {
            MatrixProduct.weightGradient(
                outputGradient: gradients.logits.pointer, outputStride: vocabulary, input: targetRows.pointer,
                inputStride: width, rows: batch.targets.count, outputs: vocabulary, inputs: width,
                accumulatingInto: head, workspace: gradients.productWorkspace.pointer)
        }
        MatrixProduct.multiply(
            gradients.logits.pointer, rows: batch.targets.count, rowStride: vocabulary, packed: transposed.head,
            outputs: width, depth: vocabulary, into: gradients.targetRows.pointer, resultStride: width,
            accumulating: false)
        Elementwise.fill(gradients.normed.pointer, with: 0, count: rows * width)
        for (index, target) in batch.targets.enumerated() {
            Elementwise.add(
                gradients.targetRows.pointer + index * width, into: gradients.normed.pointer + target.row * width,
                count: width)
        }
        Elementwise.fill(gradients.hidden.pointer, with: 0, count: rows * width)
        Normalization.backward(
            outputGradient: gradients.normed.pointer, input: hidden.pointer, weight: weights.finalNorm,
            reciprocal: normReciprocal.pointer, rows: rows, width: width, inputGradient: gradients.hidden.pointer,
            weightGradient: target.tensor(\.finalNorm) ?? gradients.discarded.pointer)
    }

    private func backwardFeedForward(
        _ index: Int, _ weights: PolicyWeights, _ transposed: TransposedWeights, _ target: GradientTarget
    ) {
        let shape = configuration
        let rows = batch.rowCount
        let saved = layers[index]
        accumulate(.down, index, gradients.hidden.pointer, saved.activated, into: target)
        MatrixProduct.multiply(
            gradients.hidden.pointer, rows: rows, rowStride: shape.hiddenSize,
            packed: transposed.block(.down, layer: index),
            outputs: shape.intermediateSize, depth: shape.hiddenSize, into: gradients.activated.pointer,
            resultStride: shape.intermediateSize, accumulating: false)
        SwiGLU.backward(
            gateUp: saved.gateUp, outputGradient: gradients.activated.pointer, rows: rows,
            width: shape.intermediateSize, gateUpGradient: gradients.gateUp.pointer)
        accumulate(.gateUp, index, gradients.gateUp.pointer, saved.feedForwardNormed, into: target)
        MatrixProduct.multiply(
            gradients.gateUp.pointer, rows: rows, rowStride: 2 * shape.intermediateSize,
            packed: transposed.block(.gateUp, layer: index), outputs: shape.hiddenSize,
            depth: 2 * shape.intermediateSize,
            into: gradients.normed.pointer, resultStride: shape.hiddenSize, accumulating: false)
        Normalization.backward(
            outputGradient: gradients.normed.pointer, input: saved.middle,
            weight: weights.layer(index).feedForwardNorm, reciprocal: saved.feedForwardReciprocal, rows: rows,
            width: shape.hiddenSize, inputGradient: gradients.hidden.pointer,
            weightGradient: target.tensor { $0.layers[index].feedForwardNorm } ?? gradients.discarded.pointer)
    }
}
