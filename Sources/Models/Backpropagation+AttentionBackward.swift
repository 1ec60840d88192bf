import Kernels
import Pipelines

extension Backpropagation {
    /// Attention, its projections and its norm; adds to the gradient of the residual stream in `gradients.hidden`.
    func backwardAttention(
        _ index: Int, _ task: BackwardTask, _ member: inout TeamMember, _ workspace: PassWorkspace
    ) {
        let shape = configuration
        let rows = batch.rowCount
        let saved = layers[index]
        let width = shape.queryKeyValueWidth
        let weights = task.weights.layer(index)
        perform(.output, index, gradients.hidden.pointer, saved.attended, task, &member, workspace) { part in
            task.transposed.block(.output, layer: index).multiply(
                part, of: gradients.hidden.pointer, into: gradients.attended.pointer,
                scratch: workspace.scratch.pointer)
            Elementwise.fill(
                gradients.queryKeyValue.pointer + part.lowerBound * width, with: 0, count: part.count * width)
        }
        let heads = shape.keyValueHeadCount
        member.perform(families.first.count * heads) { tile in
            families.forEach(tile / heads) { backwardScores($0, saved, keyValueHead: tile % heads, workspace) }
        }
        if weights.queryNorm != nil {
            // The norms' own gradients are sums over rows.
            member.perform(1) { _ in
                backwardRotation(0..<rows, task)
                backwardHeadNorms(index, weights, task.target)
            }
        }
        member.perform(rows: rows, parts) { part in
            if weights.queryNorm == nil { backwardRotation(part, task) }
            task.transposed.block(.queryKeyValue, layer: index).multiply(
                part, of: gradients.queryKeyValue.pointer, into: gradients.normed.pointer,
                scratch: workspace.scratch.pointer)
        }
        perform(.queryKeyValue, index, gradients.queryKeyValue.pointer, saved.attentionNormed, task, &member, workspace)
        {
            if let bias = task.target.tensor({ $0.layers[index].outputBias }) {
                addRows(gradients.hidden.pointer, width: shape.hiddenSize, into: bias)
            }
            if let bias = task.target.tensor({ $0.layers[index].queryKeyValueBias }) {
                addRows(gradients.queryKeyValue.pointer, width: width, into: bias)
            }
            Normalization.backward(
                outputGradient: gradients.normed.pointer, input: saved.input, weight: weights.attentionNorm,
                reciprocal: saved.attentionReciprocal, rows: rows, width: shape.hiddenSize,
                inputGradient: gradients.hidden.pointer,
                weightGradient: task.target.tensor { $0.layers[index].attentionNorm } ?? gradients.discarded.pointer)
        }
    }

    private func backwardRotation(_ part: Range<Int>, _ task: BackwardTask) {
        let width = shape.queryKeyValueWidth
        RotaryEmbedding.applyInverse(
            gradients.queryKeyValue.pointer + part.lowerBound * width, rows: part.count, rowStride: width,
            heads: shape.rotatedHeadCount, headDimension: shape.headDimension,
            positions: positions.pointer + part.lowerBound, cosine: task.weights.rotary.cosine,
            sine: task.weights.rotary.sine)
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

    /// Attention of one span's queries that share a head of keys and values: those of a shared prompt are gathered before the span's
    /// own, and their gradients added back to the prompt's rows, span by span in order.
    private func backwardScores(_ index: Int, _ saved: LayerActivations, keyValueHead: Int, _ workspace: PassWorkspace)
    {
        guard let logSumExp = saved.logSumExp else { return }
        let span = batch.spans[index]
        let (width, dimension, sharing) = (shape.queryKeyValueWidth, shape.headDimension, shape.queriesPerKeyValueHead)
        let pair = 2 * dimension
        let keys = workspace.gatheredKeyValue.pointer
        let keyGradients = workspace.gatheredGradient.pointer
        let keyColumn = shape.queryWidth + keyValueHead * dimension
        let valueColumn = keyColumn + shape.keyValueWidth
        forEachRow(span) { row, position in
            let row = saved.queryKeyValue + row * width
            let gathered = keys + position * pair
            gathered.update(from: row + keyColumn, count: dimension)
            (gathered + dimension).update(from: row + valueColumn, count: dimension)
        }
        Elementwise.fill(keyGradients, with: 0, count: (span.firstPosition + span.count) * pair)
        for head in keyValueHead * sharing..<(keyValueHead + 1) * sharing {
            let queryOffset = span.firstRow * width + head * dimension
            let outputOffset = span.firstRow * shape.queryWidth + head * dimension
            Attention.backward(
                query: saved.queryKeyValue + queryOffset, queryStride: width, queryCount: span.count,
                firstPosition: span.firstPosition, key: keys, value: keys + dimension, keyValueStride: pair,
                headDimension: dimension, scale: shape.attentionScale, compact: shape.hasCompactKeyValues,
                outputGradient: gradients.attended.pointer + outputOffset,
                outputStride: shape.queryWidth, logSumExp: logSumExp + head * batch.rowCount + span.firstRow,
                queryGradient: gradients.queryKeyValue.pointer + queryOffset, queryGradientStride: width,
                keyGradient: keyGradients, valueGradient: keyGradients + dimension,
                keyValueGradientStride: pair, workspace: workspace.attentionBackward.pointer)
        }
        forEachRow(span) { row, position in
            let row = gradients.queryKeyValue.pointer + row * width
            let gathered = keyGradients + position * pair
            Elementwise.add(gathered, into: row + keyColumn, count: dimension)
            Elementwise.add(gathered + dimension, into: row + valueColumn, count: dimension)
        }
    }

    /// Calls `body` with the row that holds each position from 0 to the span's end.
    private func forEachRow(_ span: TrainingBatch.Span, _ body: (_ row: Int, _ position: Int) -> Void) {
        if let prefix = span.prefix {
            let first = batch.spans[prefix].firstRow
            for position in 0..<span.firstPosition { body(first + position, position) }
        }
        for index in 0..<span.count { body(span.firstRow + index, span.firstPosition + index) }
    }
}
