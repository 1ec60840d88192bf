import Kernels
import Pipelines

// What rows are for in the last layer is their keys and values (queries come along in the same product), and those whose logits
// are wanted alone go on from there: in a chunk of a prompt that is one row, or none.

extension DecoderInference {
    /// The pass over the step's rows, alone.
    public func forward(_ weights: PolicyWeights) {
        var member = TeamMember()
        forward(weights, &member)
    }

    /// The pass over the step's rows, by all members of a team with this very call.
    public func forward(_ weights: PolicyWeights, _ member: inout TeamMember) {
        let step = step
        guard step.rows > 0 else { return }
        let width = shape.hiddenSize
        let embedding = weights.embedding
        member.perform(over: step.rows, atLeast: 4, atMost: 16) { part in
            Embedding.gather(
                embedding, tokens: tokens.pointer + part.lowerBound, rows: part.count, width: width,
                into: hidden.pointer + part.lowerBound * width)
        }
        for index in 0..<configuration.layerCount {
            let layer = layer(index, of: weights, activations, step)
            projectQueryKeyValue(layer, index, step, &member)
            storeChunks(layer, step, &member)
            guard isLast(index) else {
                attend(layer, step, isLast: false, &member)
                finishLayer(layer, index, rows: step.rows, following: weights.following(index), step, &member)
                continue
            }
            guard step.logits > 0 else { return }
            let last = self.layer(index, of: weights, finalActivations, step)
            attend(last, step, isLast: true, &member)
            finishLayer(last, index, rows: step.logits, following: weights.following(index), step, &member)
        }
        projectLogits(weights, rows: step.logits, &member)
    }

    private func isLast(_ layer: Int) -> Bool { layer + 1 == configuration.layerCount }

    private func layer(
        _ index: Int, of weights: PolicyWeights, _ activations: LayerActivations, _ step: StepCounts
    ) -> DecoderLayer {
        DecoderLayer(
            shape: shape, weights: weights.layer(index), cosine: weights.rotary.cosine, sine: weights.rotary.sine,
            blockOffset: index * pages.layerStride, headStride: pages.headStride, activations: activations,
            rows: step.rows, positions: positions.pointer, arranged: arranged.pointer)
    }

    private func projectQueryKeyValue(
        _ layer: DecoderLayer, _ index: Int, _ step: StepCounts, _ member: inout TeamMember
    ) {
        let rows = step.rows
        let matrices = layer.weights
        let pages = comingPages(index, matrices, step)
        let earlier = matrices.output.panelCount + matrices.gateUp.panelCount + matrices.down.panelCount
        member.perform(over: rows, atLeast: 4, atMost: 16) { layer.normalizeInput($0) }
        member.perform(over: matrices.queryKeyValue, rows: rows, then: matrices.output, pages, after: earlier) {
            layer.projectQueryKeyValue($0, rows: 0..<rows, coming: $1)
        }
    }

    /// From the output projection to the layer's result, which stands where its input did.
    private func finishLayer(
        _ layer: DecoderLayer, _ index: Int, rows: Int, following: PackedMatrix, _ step: StepCounts,
        _ member: inout TeamMember
    ) {
        let matrices = layer.weights
        let output = layer.activations.input
        // Of the first layer in the next step, where this is the last.
        let pages = comingPages(isLast(index) ? 0 : index + 1, matrices, step)
        let afterOutput = matrices.output.panelCount
        let afterGateUp = afterOutput + matrices.gateUp.panelCount
        member.perform(over: matrices.output, rows: rows, then: matrices.gateUp, pages, after: 0) {
            layer.projectOutput($0, rows: 0..<rows, coming: $1)
        }
        member.perform(over: rows, atLeast: 4, atMost: 16) { layer.normalizeMiddle($0) }
        member.perform(over: matrices.gateUp, rows: rows, then: matrices.down, pages, after: afterOutput) {
            layer.projectGateUp($0, rows: 0..<rows, coming: $1)
        }
        member.perform(over: rows, atLeast: 2, atMost: 16) { layer.activate($0, output: output) }
        member.perform(over: matrices.down, rows: rows, then: following, pages, after: afterGateUp) {
            layer.projectDown($0, rows: 0..<rows, coming: $1, output: output)
        }
    }

    private func comingPages(_ layer: Int, _ weights: LayerWeights, _ step: StepCounts) -> ComingPages {
        ComingPages(
            attendedPages.pointer, count: step.pages, offset: layer * pages.layerStride, length: pages.layerStride,
            weights: weights)
    }

    private func projectLogits(_ weights: PolicyWeights, rows: Int, _ member: inout TeamMember) {
        let width = shape.hiddenSize
        // All have read the last layer's first norm, whose place this one's takes.
        let normed = activations.attentionNormed
        let head = weights.head
        member.perform(over: rows, atLeast: 4, atMost: 16) { part in
            Normalization.forwardMarkingOverflow(
                input: selected.pointer + part.lowerBound * width, weight: weights.finalNorm, rows: part.count,
                width: width, epsilon: shape.normalizationEpsilon, output: normed + part.lowerBound * width,
                reciprocal: activations.attentionReciprocal + part.lowerBound)
            head.arrange(part, of: normed, into: arranged.pointer)
        }
        member.perform(over: head, rows: rows, then: nil, nil, after: 0) { panels, coming in
            head.multiply(
                panels: panels, of: normed, arranged: arranged.pointer, rows: 0..<rows, into: logitRows.pointer,
                coming: coming)
        }
    }
}
