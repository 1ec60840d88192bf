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
        precondition(storage != nil, "the forward pass kept nothing")
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
            accumulate(
                gradients.logits.pointer, targetRows.pointer, rows: batch.targets.count, outputs: vocabulary,
                inputs: width, into: head)
        }
        transposed.head.multiply(
            gradients.logits.pointer, rows: batch.targets.count, into: gradients.targetRows.pointer,
            scratch: gradients.scratch.pointer)
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
        transposed.block(.down, layer: index).multiply(
            gradients.hidden.pointer, rows: rows, into: gradients.activated.pointer,
            scratch: gradients.scratch.pointer)
        SwiGLU.backward(
            gateUp: saved.gateUp, outputGradient: gradients.activated.pointer, rows: rows,
            width: shape.intermediateSize, gateUpGradient: gradients.gateUp.pointer)
        accumulate(.gateUp, index, gradients.gateUp.pointer, saved.feedForwardNormed, into: target)
        transposed.block(.gateUp, layer: index).multiply(
            gradients.gateUp.pointer, rows: rows, into: gradients.normed.pointer, scratch: gradients.scratch.pointer)
        Normalization.backward(
            outputGradient: gradients.normed.pointer, input: saved.middle,
            weight: weights.layer(index).feedForwardNorm, reciprocal: saved.feedForwardReciprocal, rows: rows,
            width: shape.hiddenSize, inputGradient: gradients.hidden.pointer,
            weightGradient: target.tensor { $0.layers[index].feedForwardNorm } ?? gradients.discarded.pointer)
    }
}
