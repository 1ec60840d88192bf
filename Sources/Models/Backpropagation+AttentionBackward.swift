import Kernels

extension Backpropagation {
    /// Attention, its projections and its norm; adds to the gradient of the residual stream in `gradients.hidden`.
    func backwardAttention(
        _ index: Int, _ weights: PolicyWeights, _ transposed: TransposedWeights, _ target: GradientTarget
    ) {
        let shape = configuration
        let rows = batch.rowCount
        let saved = layers[index]
        let width = shape.queryKeyValueWidth
        if let bias = target.tensor({ $0.layers[index].outputBias }) {
            addRows(gradients.hidden.pointer, width: shape.hiddenSize, into: bias)
        }
        accumulate(.output, index, gradients.hidden.pointer, saved.attended, into: target)
        transposed.block(.output, layer: index).multiply(
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
        backwardHeadNorms(index, weights.layer(index), target)
        if let bias = target.tensor({ $0.layers[index].queryKeyValueBias }) {
            addRows(gradients.queryKeyValue.pointer, width: width, into: bias)
        }
        accumulate(.queryKeyValue, index, gradients.queryKeyValue.pointer, saved.attentionNormed, into: target)
        transposed.block(.queryKeyValue, layer: index).multiply(
            gradients.queryKeyValue.pointer, rows: rows, into: gradients.normed.pointer,
            scratch: gradients.scratch.pointer)
        Normalization.backward(
            outputGradient: gradients.normed.pointer, input: saved.input,
            weight: weights.layer(index).attentionNorm, reciprocal: saved.attentionReciprocal, rows: rows,
            width: shape.hiddenSize, inputGradient: gradients.hidden.pointer,
            weightGradient: target.tensor { $0.layers[index].attentionNorm } ?? gradients.discarded.pointer)
    }

    /// Turns the gradient of the normalised queries and keys into that of the raw ones, in place, row by row.
    private func backwardHeadNorms(
        _ index: Int, _ weights: LayerWeights, _ target: GradientTarget
    ) {
        guard let queryNorm = weights.queryNorm, let keyNorm = weights.keyNorm, let raw = layers[index].rawQueryKey,
            let reciprocal = layers[index].headReciprocal
        else { return }
        let shape = configuration
        let queryGradient = target.tensor { $0.layers[index].queryNorm } ?? gradients.discarded.pointer
        let keyGradient = target.tensor { $0.layers[index].keyNorm } ?? gradients.discarded.pointer
        let upstream = gradients.normedHeads.pointer
        for row in 0..<batch.rowCount {
            let heads = gradients.queryKeyValue.pointer + row * shape.queryKeyValueWidth
            let input = raw + row * shape.rotatedWidth
            let reciprocals = reciprocal + row * shape.rotatedHeadCount
            upstream.update(from: heads, count: shape.rotatedWidth)
            Elementwise.fill(heads, with: 0, count: shape.rotatedWidth)
            Normalization.backward(
                outputGradient: upstream, input: input, weight: queryNorm, reciprocal: reciprocals,
                rows: shape.attentionHeadCount, width: shape.headDimension, inputGradient: heads,
                weightGradient: queryGradient)
            Normalization.backward(
                outputGradient: upstream + shape.queryWidth, input: input + shape.queryWidth, weight: keyNorm,
                reciprocal: reciprocals + shape.attentionHeadCount, rows: shape.keyValueHeadCount,
                width: shape.headDimension, inputGradient: heads + shape.queryWidth,
                weightGradient: keyGradient)
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
                headDimension: shape.headDimension, scale: shape.attentionScale, compact: shape.hasCompactKeyValues,
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
}
