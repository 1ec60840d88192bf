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
        precondition(coefficients.count == batch.targets.count, "one coefficient a target")
        guard let weights, batch.rowCount > 0 else { return }
        gradients.prepare(rows: batch.rowCount, targets: batch.targets.count, positions: positionCapacity)
        backwardHead(coefficients, weights, transposed, layout, gradient)
        for index in layers.indices.reversed() {
            restore(index, weights)
            backwardFeedForward(index, weights, transposed, layout.layers[index], gradient)
            backwardAttention(index, weights, transposed, layout.layers[index], gradient)
        }
        Embedding.scatter(
            gradients.hidden.pointer, tokens: tokens.pointer, rows: batch.rowCount, width: configuration.hiddenSize,
            into: gradient + layout.embedding)
    }

    /// Logits, head and final norm; leaves the gradient of the last layer's result in `gradients.hidden`.
    private func backwardHead(
        _ coefficients: UnsafeBufferPointer<Float>, _ weights: PolicyWeights, _ transposed: TransposedWeights,
        _ layout: ParameterLayout, _ gradient: UnsafeMutablePointer<Float>
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
        accumulate(
            gradients.logits.pointer, targetRows.pointer, rows: batch.targets.count, outputs: vocabulary,
            inputs: width, into: gradient + layout.head)
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
            weightGradient: gradient + layout.finalNorm)
    }

    private func backwardFeedForward(
        _ index: Int, _ weights: PolicyWeights, _ transposed: TransposedWeights,
        _ offsets: ParameterLayout.LayerOffsets,
        _ gradient: UnsafeMutablePointer<Float>
    ) {
        let shape = configuration
        let rows = batch.rowCount
        let saved = layers[index]
        accumulate(
            gradients.hidden.pointer, saved.activated, rows: rows, outputs: shape.hiddenSize,
            inputs: shape.intermediateSize, into: gradient + offsets.down)
        transposed.down(index).multiply(
            gradients.hidden.pointer, rows: rows, into: gradients.activated.pointer,
            scratch: gradients.scratch.pointer)
        SwiGLU.backward(
            gateUp: saved.gateUp, outputGradient: gradients.activated.pointer, rows: rows,
            width: shape.intermediateSize, gateUpGradient: gradients.gateUp.pointer)
        accumulate(
            gradients.gateUp.pointer, saved.feedForwardNormed, rows: rows, outputs: 2 * shape.intermediateSize,
            inputs: shape.hiddenSize, into: gradient + offsets.gateUp)
        transposed.gateUp(index).multiply(
            gradients.gateUp.pointer, rows: rows, into: gradients.normed.pointer, scratch: gradients.scratch.pointer)
        Normalization.backward(
            outputGradient: gradients.normed.pointer, input: saved.middle,
            weight: weights.layer(index).feedForwardNorm, reciprocal: saved.feedForwardReciprocal, rows: rows,
            width: shape.hiddenSize, inputGradient: gradients.hidden.pointer,
            weightGradient: gradient + offsets.feedForwardNorm)
    }

    private func backwardAttention(
        _ index: Int, _ weights: PolicyWeights, _ transposed: TransposedWeights,
        _ offsets: ParameterLayout.LayerOffsets,
        _ gradient: UnsafeMutablePointer<Float>
    ) {
        let shape = configuration
        let rows = batch.rowCount
        let saved = layers[index]
        let width = shape.queryKeyValueWidth
        if let bias = offsets.outputBias {
            addRows(gradients.hidden.pointer, width: shape.hiddenSize, into: gradient + bias)
        }
        accumulate(
            gradients.hidden.pointer, saved.attended, rows: rows, outputs: shape.hiddenSize, inputs: shape.queryWidth,
            into: gradient + offsets.output)
        transposed.output(index).multiply(
            gradients.hidden.pointer, rows: rows, into: gradients.attended.pointer,
            scratch: gradients.scratch.pointer)
        Elementwise.fill(gradients.queryKeyValue.pointer, with: 0, count: rows * width)
        for span in batch.spans {
            backwardScores(span, saved)
        }
        RotaryEmbedding.applyInverse(
            gradients.queryKeyValue.pointer, rows: rows, rowStride: width,
            heads: shape.rotatedHeadCount, headDimension: shape.headDimension,
            positions: positions.pointer, cosine: weights.rotary.cosine, sine: weights.rotary.sine)
        backwardHeadNorms(saved, weights.layer(index), offsets, gradient)
        if let bias = offsets.queryKeyValueBias {
            addRows(gradients.queryKeyValue.pointer, width: width, into: gradient + bias)
        }
        accumulate(
            gradients.queryKeyValue.pointer, saved.attentionNormed, rows: rows, outputs: width,
            inputs: shape.hiddenSize, into: gradient + offsets.queryKeyValue)
        transposed.queryKeyValue(index).multiply(
            gradients.queryKeyValue.pointer, rows: rows, into: gradients.normed.pointer,
            scratch: gradients.scratch.pointer)
        Normalization.backward(
            outputGradient: gradients.normed.pointer, input: saved.input,
            weight: weights.layer(index).attentionNorm, reciprocal: saved.attentionReciprocal, rows: rows,
            width: shape.hiddenSize, inputGradient: gradients.hidden.pointer,
            weightGradient: gradient + offsets.attentionNorm)
    }

    /// Turns the gradient of the normalised queries and keys into that of the raw ones, in place, row by row.
    private func backwardHeadNorms(
        _ saved: LayerActivations, _ weights: LayerWeights, _ offsets: ParameterLayout.LayerOffsets,
        _ gradient: UnsafeMutablePointer<Float>
    ) {
        guard let queryNorm = weights.queryNorm, let keyNorm = weights.keyNorm, let raw = saved.rawQueryKey,
            let reciprocal = saved.headReciprocal, let queryOffset = offsets.queryNorm, let keyOffset = offsets.keyNorm
        else { return }
        let shape = configuration
        let upstream = gradients.normedHeads.pointer
        for row in 0..<batch.rowCount {
            let target = gradients.queryKeyValue.pointer + row * shape.queryKeyValueWidth
            let input = raw + row * shape.rotatedWidth
            let reciprocals = reciprocal + row * shape.rotatedHeadCount
            upstream.update(from: target, count: shape.rotatedWidth)
            Elementwise.fill(target, with: 0, count: shape.rotatedWidth)
            Normalization.backward(
                outputGradient: upstream, input: input, weight: queryNorm, reciprocal: reciprocals,
                rows: shape.attentionHeadCount, width: shape.headDimension, inputGradient: target,
                weightGradient: gradient + queryOffset)
            Normalization.backward(
                outputGradient: upstream + shape.queryWidth, input: input + shape.queryWidth, weight: keyNorm,
                reciprocal: reciprocals + shape.attentionHeadCount, rows: shape.keyValueHeadCount,
                width: shape.headDimension, inputGradient: target + shape.queryWidth,
                weightGradient: gradient + keyOffset)
        }
    }

    /// sum [width] += Σ rows of x [rows][width], rows ascending.
    private func addRows(_ x: UnsafePointer<Float>, width: Int, into sum: UnsafeMutablePointer<Float>) {
        for row in 0..<batch.rowCount {
            Elementwise.add(x + row * width, into: sum, count: width)
        }
    }

    /// Attention of one span: keys and values of a shared prompt are gathered before the span's own, and their gradients
    /// added back to the prompt's rows, span by span in order.
    private func backwardScores(_ span: TrainingBatch.Span, _ saved: LayerActivations) {
        let shape = configuration
        let width = shape.queryKeyValueWidth
        let pair = 2 * shape.keyValueWidth
        let ranges = rowRanges(span)
        let total = span.firstPosition + span.count
        let keys = gradients.gatheredKeyValue.pointer
        let keyGradients = gradients.gatheredGradient.pointer
        for range in ranges {
            for index in 0..<range.count {
                (keys + (range.position + index) * pair).update(
                    from: saved.queryKeyValue + (range.row + index) * width + shape.queryWidth, count: pair)
            }
        }
        Elementwise.fill(keyGradients, with: 0, count: total * pair)
        for head in 0..<shape.attentionHeadCount {
            let keyOffset = head / shape.queriesPerKeyValueHead * shape.headDimension
            let queryOffset = span.firstRow * width + head * shape.headDimension
            let outputOffset = span.firstRow * shape.queryWidth + head * shape.headDimension
            guard let logSumExp = saved.logSumExp else { continue }
            Attention.backward(
                query: saved.queryKeyValue + queryOffset, queryStride: width, queryCount: span.count,
                firstPosition: span.firstPosition, key: keys + keyOffset,
                value: keys + shape.keyValueWidth + keyOffset, keyValueStride: pair,
                headDimension: shape.headDimension, scale: shape.attentionScale, output: saved.attended + outputOffset,
                outputGradient: gradients.attended.pointer + outputOffset,
                outputStride: shape.queryWidth, logSumExp: logSumExp + head * batch.rowCount + span.firstRow,
                queryGradient: gradients.queryKeyValue.pointer + queryOffset, queryGradientStride: width,
                keyGradient: keyGradients + keyOffset, valueGradient: keyGradients + shape.keyValueWidth + keyOffset,
                keyValueGradientStride: pair, workspace: gradients.attentionWorkspace.pointer)
        }
        for range in ranges {
            for index in 0..<range.count {
                Elementwise.add(
                    keyGradients + (range.position + index) * pair,
                    into: gradients.queryKeyValue.pointer + (range.row + index) * width + shape.queryWidth,
                    count: pair)
            }
        }
    }

    private struct RowRange {
        var row: Int
        var position: Int
        var count: Int
    }

    /// The rows that hold positions 0 to the span's end.
    private func rowRanges(_ span: TrainingBatch.Span) -> [RowRange] {
        let own = RowRange(row: span.firstRow, position: span.firstPosition, count: span.count)
        guard let prefix = span.prefix else { return [own] }
        let shared = batch.spans[prefix]
        return [RowRange(row: shared.firstRow, position: 0, count: shared.count), own]
    }

    /// weightGradient [outputs][inputs] += outputGradientᵀ · input.
    private func accumulate(
        _ outputGradient: UnsafePointer<Float>, _ input: UnsafePointer<Float>, rows: Int, outputs: Int, inputs: Int,
        into weightGradient: UnsafeMutablePointer<Float>
    ) {
        WeightGradient.add(
            outputGradient: outputGradient, input: input, rows: rows, outputs: outputs, inputs: inputs,
            to: weightGradient, precision: configuration.precision, workspace: gradients.productWorkspace.pointer,
            scratch: gradients.scratch.pointer)
    }
}
