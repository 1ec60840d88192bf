import Kernels
import Pipelines

extension Backpropagation {
    /// The forward pass, by all members of a team with this very call. Rows meet in attention alone: between two layers' attention, a
    /// part of them goes through all products without waiting for the others.
    func forward(_ member: inout TeamMember, _ workspace: PassWorkspace) {
        guard let weights, let first = layers.first, batch.rowCount > 0 else { return }
        let width = shape.hiddenSize
        member.perform(rows: batch.rowCount, parts) { part in
            Embedding.gather(
                weights.embedding, tokens: tokens.pointer + part.lowerBound, rows: part.count, width: width,
                into: first.input + part.lowerBound * width)
        }
        for index in layers.indices {
            run(
                index, weights, output: index + 1 < layers.count ? layers[index + 1].input : hidden.pointer, &member,
                workspace)
        }
        scoreTargets(weights, &member)
    }

    /// Brings back what the backward pass reads of a layer; layers are asked for from the last to the first.
    func restore(
        _ index: Int, _ weights: PolicyWeights, _ member: inout TeamMember, _ workspace: PassWorkspace
    ) {
        // The last layer's are those that the forward pass left.
        guard storage == .recomputed, index + 1 < layers.count else { return }
        run(index, weights, output: nil, &member, workspace)
    }

    /// Computes a layer's activations from its input, and its result where `output` is given.
    private func run(
        _ index: Int, _ weights: PolicyWeights, output: UnsafeMutablePointer<Float>?, _ member: inout TeamMember,
        _ workspace: PassWorkspace
    ) {
        let rows = batch.rowCount
        let layer = DecoderLayer(
            shape: shape, weights: weights.layer(index), cosine: weights.rotary.cosine,
            sine: weights.rotary.sine, blockOffset: 0, headStride: pages.headStride, activations: layers[index],
            rows: rows, positions: positions.pointer, arranged: scratch.pointer)
        let matrices = layer.weights
        let stride = configuration.forwardScratch(rows: 1)
        member.perform(rows: rows, parts) { part in
            let layer = layer.arranging(part, into: scratch.pointer + part.lowerBound * stride)
            Self.inBlocks(of: part) { layer.normalizeInput($0) }
            layer.projectQueryKeyValue(
                matrices.queryKeyValue.allPanels, rows: part, coming: ComingReads(panels: matrices.output.panel(0)))
            Self.inBlocks(of: part) { layer.rotate($0) }
        }
        attend(layer, &member, workspace)
        member.perform(rows: rows, parts) { part in
            let layer = layer.arranging(part, into: scratch.pointer + part.lowerBound * stride)
            Self.inBlocks(of: part) { layer.finishAttention($0) }
            layer.projectOutput(
                matrices.output.allPanels, rows: part, coming: ComingReads(panels: matrices.gateUp.panel(0)))
            Self.inBlocks(of: part) { layer.normalizeMiddle($0) }
            layer.projectGateUp(
                matrices.gateUp.allPanels, rows: part, coming: ComingReads(panels: matrices.down.panel(0)))
            Self.inBlocks(of: part) { layer.activate($0, output: output) }
            guard let output else { return }
            layer.projectDown(
                matrices.down.allPanels, rows: part, coming: ComingReads(panels: weights.following(index).panel(0)),
                output: output)
        }
    }

    /// Keys and values of all spans, and then their queries over them.
    private func attend(_ layer: DecoderLayer, _ member: inout TeamMember, _ workspace: PassWorkspace) {
        let spans = batch.spans.count
        member.perform(spans) { span in
            if let rows = pages.straddlingRows(span, of: batch) { layer.store(rows) }
            layer.store(pages.rowSpan(span, of: batch))
        }
        let queryParts = parts.queryParts(batch.longestSpan)
        member.perform(spans * queryParts) { tile in
            var rows = pages.rowSpan(tile / queryParts, of: batch)
            let part = PassParts.range(tile % queryParts, of: queryParts, over: rows.count)
            guard !part.isEmpty else { return }
            rows.firstRow += part.lowerBound
            rows.firstPosition += part.lowerBound
            rows.count = part.count
            layer.attend(rows, into: rows.firstRow, next: nil, workspace: workspace.attention.pointer)
        }
    }

    /// Calls `body` with a few rows at a time: what it reads and writes of them stays in the first-level caches.
    private static func inBlocks(of rows: Range<Int>, _ body: (Range<Int>) -> Void) {
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: 16) {
            body(first..<min(rows.upperBound, first + 16))
        }
    }

    private func scoreTargets(_ weights: PolicyWeights, _ member: inout TeamMember) {
        let width = configuration.hiddenSize
        member.perform(rows: batch.rowCount, parts) { part in
            let first = part.lowerBound
            Normalization.forwardMarkingOverflow(
                input: hidden.pointer + first * width, weight: weights.finalNorm, rows: part.count, width: width,
                epsilon: configuration.normalizationEpsilon, output: normed.pointer + first * width,
                reciprocal: normReciprocal.pointer + first)
        }
        let count = batch.targets.count
        let atATime = storage == nil ? Self.targetsAtATime : max(1, count)
        for first in stride(from: 0, to: count, by: atATime) {
            member.perform(rows: min(atATime, count - first), parts) { part in
                score(part, of: first, weights)
            }
        }
    }

    /// Log-probabilities of targets that come after `first`, whose logits stand first.
    private func score(_ part: Range<Int>, of first: Int, _ weights: PolicyWeights) {
        let width = configuration.hiddenSize
        let vocabulary = configuration.vocabularySize
        let source = targetRows.pointer + first * width
        for index in part {
            (source + index * width).update(
                from: normed.pointer + batch.targets[first + index].row * width, count: width)
        }
        weights.head.arrange(part, of: source, into: scratch.pointer)
        weights.head.multiply(
            panels: weights.head.allPanels, of: source, arranged: scratch.pointer, rows: part, into: logits.pointer,
            coming: ComingReads(panels: nil))
        for index in part {
            let row = logits.pointer + index * vocabulary
            let logSumExp = Softmax.logSumExp(row, count: vocabulary, scale: 1 / temperature)
            targetLogSumExp.pointer[first + index] = logSumExp
            targetLogProbabilities.pointer[first + index] = Softmax.logProbability(
                logit: row[Int(batch.targets[first + index].token)], scale: 1 / temperature, logSumExp: logSumExp)
            guard storage != nil else { continue }
            targetEntropies.pointer[first + index] = Softmax.entropy(
                row, count: vocabulary, scale: 1 / temperature, logSumExp: logSumExp)
        }
    }
}

extension DecoderLayer {
    /// For some rows alone.
    fileprivate func arranging(_ part: Range<Int>, into arranged: UnsafeMutablePointer<BFloat16Pair>) -> DecoderLayer {
        var layer = self
        layer.arranged = arranged
        layer.firstArranged = part.lowerBound
        return layer
    }
}

extension TeamMember {
    /// One stage over a pass's rows.
    mutating func perform(rows: Int, _ parts: PassParts, _ body: (Range<Int>) -> Void) {
        let count = parts.rowParts(rows)
        perform(count) { body(PassParts.range($0, of: count, over: rows)) }
    }
}
