import Kernels

/// Rows of a forward pass that belong to one sequence and follow one another in position.
struct RowSpan {
    /// First row of the span among the rows of the pass.
    var firstRow: Int
    var count: Int
    /// Absolute position of the first row in its sequence.
    var firstPosition: Int
    /// The sequence's page addresses.
    var blocks: UnsafePointer<UnsafeMutablePointer<Float>>
}

/// Where one layer's intermediate rows stand. Generation uses one set for all layers; the learner keeps one a layer.
struct LayerActivations {
    /// [rows][hidden]: what the layer was given, and its first norm.
    var input: UnsafeMutablePointer<Float>
    var attentionNormed: UnsafeMutablePointer<Float>
    var attentionReciprocal: UnsafeMutablePointer<Float>
    /// [rows][queryKeyValueWidth], after the rotation.
    var queryKeyValue: UnsafeMutablePointer<Float>
    /// [rows][rotatedWidth]: queries and keys before their heads are normalised; nil where they are not, or where no
    /// backward pass follows.
    var rawQueryKey: UnsafeMutablePointer<Float>?
    /// [rows][rotatedHeadCount], or nil where heads are not normalised.
    var headReciprocal: UnsafeMutablePointer<Float>?
    /// [rows][queryWidth].
    var attended: UnsafeMutablePointer<Float>
    /// [attention heads][rows], or nil where no backward pass follows.
    var logSumExp: UnsafeMutablePointer<Float>?
    /// [rows][hidden]: after attention and its residual, and the second norm.
    var middle: UnsafeMutablePointer<Float>
    var feedForwardNormed: UnsafeMutablePointer<Float>
    var feedForwardReciprocal: UnsafeMutablePointer<Float>
    /// [rows][2 · intermediate], [rows][intermediate].
    var gateUp: UnsafeMutablePointer<Float>
    var activated: UnsafeMutablePointer<Float>
}

/// One decoder layer's forward pass over rows: the only one, so that generation and learner compute the same bits.
struct DecoderLayer {
    let configuration: ModelConfiguration
    let weights: LayerWeights
    let rotary: RotaryTable
    /// Floats from a page's start to this layer's blocks, and from one head's block to the next.
    let blockOffset: Int
    let headStride: Int
    /// For products; see `PackedMatrix.multiply`.
    let scratch: UnsafeMutablePointer<BFloat16Pair>

    /// Queries, keys and values of all rows: norm, product, bias, norm of the heads, rotation.
    func project(_ activations: LayerActivations, rows: Int, positions: UnsafePointer<Int32>) {
        let shape = configuration
        let width = shape.queryKeyValueWidth
        Normalization.forward(
            input: activations.input, weight: weights.attentionNorm, rows: rows, width: shape.hiddenSize,
            epsilon: shape.normalizationEpsilon, output: activations.attentionNormed,
            reciprocal: activations.attentionReciprocal)
        weights.queryKeyValue.multiply(
            activations.attentionNormed, rows: rows, into: activations.queryKeyValue, scratch: scratch)
        add(weights.queryKeyValueBias, to: activations.queryKeyValue, rows: rows, width: width)
        normalizeHeads(activations, rows: rows)
        RotaryEmbedding.apply(
            activations.queryKeyValue, rows: rows, rowStride: width,
            heads: shape.rotatedHeadCount, headDimension: shape.headDimension,
            positions: positions, cosine: rotary.cosine, sine: rotary.sine)
    }

    /// Normalises each head's query and key, in place.
    private func normalizeHeads(_ activations: LayerActivations, rows: Int) {
        guard let queryNorm = weights.queryNorm, let keyNorm = weights.keyNorm,
            let reciprocal = activations.headReciprocal
        else { return }
        let shape = configuration
        func normalize(
            _ heads: UnsafeMutablePointer<Float>, _ count: Int, _ weight: UnsafePointer<Float>,
            _ reciprocal: UnsafeMutablePointer<Float>
        ) {
            Normalization.forward(
                input: heads, weight: weight, rows: count, width: shape.headDimension,
                epsilon: shape.normalizationEpsilon, output: heads, reciprocal: reciprocal)
        }
        for row in 0..<rows {
            let query = activations.queryKeyValue + row * shape.queryKeyValueWidth
            if let raw = activations.rawQueryKey {
                (raw + row * shape.rotatedWidth).update(from: query, count: shape.rotatedWidth)
            }
            let reciprocals = reciprocal + row * shape.rotatedHeadCount
            normalize(query, shape.attentionHeadCount, queryNorm, reciprocals)
            normalize(
                query + shape.queryWidth, shape.keyValueHeadCount, keyNorm, reciprocals + shape.attentionHeadCount)
        }
    }

    private func add(_ bias: UnsafePointer<Float>?, to x: UnsafeMutablePointer<Float>, rows: Int, width: Int) {
        guard let bias else { return }
        for row in 0..<rows {
            Elementwise.add(bias, into: x + row * width, count: width)
        }
    }

    /// Writes a span's keys and values to its sequence's pages.
    func store(_ span: RowSpan, _ activations: LayerActivations) {
        let shape = configuration
        for index in 0..<span.count {
            let position = span.firstPosition + index
            let page = span.blocks[position / Attention.blockLength] + blockOffset
            let key = activations.queryKeyValue + (span.firstRow + index) * shape.queryKeyValueWidth + shape.queryWidth
            let value = key + shape.keyValueWidth
            for head in 0..<shape.keyValueHeadCount {
                Attention.store(
                    key: key + head * shape.headDimension, value: value + head * shape.headDimension,
                    headDimension: shape.headDimension, slot: position % Attention.blockLength,
                    compact: shape.hasCompactKeyValues, block: page + head * headStride)
            }
        }
    }

    /// Attention of a span's queries over its pages, which hold everything up to the span's last position. A decode
    /// step's row passes over keys and values once for all heads that share them.
    func attend(_ span: RowSpan, _ activations: LayerActivations, rows: Int, workspace: UnsafeMutablePointer<Float>) {
        let shape = configuration
        let queries = activations.queryKeyValue + span.firstRow * shape.queryKeyValueWidth
        let outputs = activations.attended + span.firstRow * shape.queryWidth
        let logSumExp = activations.logSumExp.map { $0 + span.firstRow }
        let sharing = shape.queriesPerKeyValueHead
        if span.count == 1 {
            for head in 0..<shape.keyValueHeadCount {
                Attention.forward(
                    query: queries + head * sharing * shape.headDimension, queryStride: shape.headDimension,
                    queryCount: sharing, firstPosition: span.firstPosition, positions: .same,
                    headDimension: shape.headDimension, scale: shape.attentionScale, blocks: span.blocks,
                    blockOffset: blockOffset + head * headStride, compact: shape.hasCompactKeyValues,
                    output: outputs + head * sharing * shape.headDimension, outputStride: shape.headDimension,
                    logSumExp: logSumExp.map { $0 + head * sharing * rows }, logSumExpStride: rows,
                    workspace: workspace)
            }
            return
        }
        for head in 0..<shape.attentionHeadCount {
            Attention.forward(
                query: queries + head * shape.headDimension, queryStride: shape.queryKeyValueWidth,
                queryCount: span.count, firstPosition: span.firstPosition, positions: .consecutive,
                headDimension: shape.headDimension, scale: shape.attentionScale, blocks: span.blocks,
                blockOffset: blockOffset + head / sharing * headStride,
                compact: shape.hasCompactKeyValues, output: outputs + head * shape.headDimension,
                outputStride: shape.queryWidth, logSumExp: logSumExp.map { $0 + head * rows }, workspace: workspace)
        }
    }

    /// Output projection, residual, feed-forward and its residual; leaves the layer's result in `output` [rows][hidden], or
    /// stops before it where that is nil.
    func finish(_ activations: LayerActivations, rows: Int, output: UnsafeMutablePointer<Float>?) {
        let shape = configuration
        let hidden = shape.hiddenSize
        activations.middle.update(from: activations.input, count: rows * hidden)
        weights.output.multiply(
            activations.attended, rows: rows, into: activations.middle, accumulating: true, scratch: scratch)
        add(weights.outputBias, to: activations.middle, rows: rows, width: hidden)
        Normalization.forward(
            input: activations.middle, weight: weights.feedForwardNorm, rows: rows, width: hidden,
            epsilon: shape.normalizationEpsilon, output: activations.feedForwardNormed,
            reciprocal: activations.feedForwardReciprocal)
        weights.gateUp.multiply(
            activations.feedForwardNormed, rows: rows, into: activations.gateUp, scratch: scratch)
        SwiGLU.forward(
            gateUp: activations.gateUp, rows: rows, width: shape.intermediateSize, output: activations.activated)
        guard let output else { return }
        output.update(from: activations.middle, count: rows * hidden)
        weights.down.multiply(activations.activated, rows: rows, into: output, accumulating: true, scratch: scratch)
    }
}
