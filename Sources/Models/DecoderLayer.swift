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
    /// Place of the last row among those whose logits are wanted; nil where its are not, and in a learner's pass.
    var logitRow: Int?

    var rows: Range<Int> { firstRow..<firstRow + count }

    /// The last row alone.
    var last: RowSpan {
        RowSpan(
            firstRow: firstRow + count - 1, count: 1, firstPosition: firstPosition + count - 1, blocks: blocks,
            logitRow: logitRow)
    }
}

/// Where one layer's intermediate rows stand. Generation uses one set for all layers, but for the last one's result; the learner
/// keeps one a layer.
struct LayerActivations {
    /// [rows][hidden]: what the layer was given, where no backward pass follows until attention's result is added to it; and its
    /// first norm.
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
    /// [rows][hidden]: after attention and its residual, where the input stands if no backward pass follows; and the second norm.
    var middle: UnsafeMutablePointer<Float>
    var feedForwardNormed: UnsafeMutablePointer<Float>
    var feedForwardReciprocal: UnsafeMutablePointer<Float>
    /// [rows][2 · intermediate], [rows][intermediate].
    var gateUp: UnsafeMutablePointer<Float>
    var activated: UnsafeMutablePointer<Float>
}

/// One decoder layer's forward pass over rows: the only one, so that generation and learner compute the same bits.
///
/// It stands in the order of its stages, each over ranges of rows, of panels of a product's columns, or over spans; parts of a
/// stage are independent of one another, and every stage needs the whole of the one before, or of its rows alone where all
/// columns are taken at once: attention alone looks at other rows. What is `coming`, read after a product, is brought near
/// meanwhile.
///
/// All of it is plain values: it is made for each layer of each pass, by every member of a team, and counts no references. Its
/// weights are kept alive by whoever runs the pass.
struct DecoderLayer: BitwiseCopyable {
    let shape: LayerShape
    let weights: LayerWeights
    /// [position][headDimension / 2].
    let cosine: UnsafePointer<Float>
    let sine: UnsafePointer<Float>
    /// Floats from a page's start to this layer's blocks, and from one head's block to the next.
    let blockOffset: Int
    let headStride: Int
    let activations: LayerActivations
    /// Rows of the pass, and the absolute position of each.
    let rows: Int
    let positions: UnsafePointer<Int32>
    /// Rounded rows of the product that comes next, see `PackedMatrix.arrange`, and the first of them. Rows of other products
    /// stand at other distances, so that who works on some rows without waiting for others has room of its own.
    var arranged: UnsafeMutablePointer<BFloat16Pair>
    var firstArranged = 0

    /// Where all rows would begin.
    private func arranged(for matrix: PackedMatrix) -> UnsafeMutablePointer<BFloat16Pair> {
        arranged - firstArranged * matrix.arrangedStride
    }

    /// First norm of rows.
    func normalizeInput(_ part: Range<Int>) {
        let width = shape.hiddenSize
        let first = part.lowerBound
        Normalization.forwardMarkingOverflow(
            input: activations.input + first * width, weight: weights.attentionNorm, rows: part.count, width: width,
            epsilon: shape.normalizationEpsilon, output: activations.attentionNormed + first * width,
            reciprocal: activations.attentionReciprocal + first)
        weights.queryKeyValue.arrange(part, of: activations.attentionNormed, into: arranged(for: weights.queryKeyValue))
    }

    /// Panels of rows' queries, keys and values.
    func projectQueryKeyValue(_ panels: Range<Int>, rows: Range<Int>, coming: ComingReads) {
        weights.queryKeyValue.multiply(
            panels: panels, of: activations.attentionNormed, arranged: arranged(for: weights.queryKeyValue), rows: rows,
            into: activations.queryKeyValue, coming: coming)
    }

    /// Bias, norm of the heads and rotation of rows.
    func rotate(_ part: Range<Int>) {
        let width = shape.queryKeyValueWidth
        add(weights.queryKeyValueBias, to: activations.queryKeyValue, part, width: width)
        normalizeHeads(part)
        RotaryEmbedding.apply(
            activations.queryKeyValue + part.lowerBound * width, rows: part.count, rowStride: width,
            heads: shape.rotatedHeadCount, headDimension: shape.headDimension,
            positions: positions + part.lowerBound, cosine: cosine, sine: sine)
    }

    /// Normalises each head's query and key, in place.
    private func normalizeHeads(_ part: Range<Int>) {
        guard let queryNorm = weights.queryNorm, let keyNorm = weights.keyNorm,
            let reciprocal = activations.headReciprocal
        else { return }
        func normalize(
            _ heads: UnsafeMutablePointer<Float>, _ count: Int, _ weight: UnsafePointer<Float>,
            _ reciprocal: UnsafeMutablePointer<Float>
        ) {
            Normalization.forwardMarkingOverflow(
                input: heads, weight: weight, rows: count, width: shape.headDimension,
                epsilon: shape.normalizationEpsilon, output: heads, reciprocal: reciprocal)
        }
        for row in part {
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

    private func add(_ bias: UnsafePointer<Float>?, to x: UnsafeMutablePointer<Float>, _ part: Range<Int>, width: Int) {
        guard let bias else { return }
        for row in part {
            Elementwise.add(bias, into: x + row * width, count: width)
        }
    }

    /// Writes a span's keys and values to its sequence's pages.
    func store(_ span: RowSpan) {
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
    /// step's row passes over keys and values once for all heads that share them, and brings near those of the `next` one.
    ///
    /// - Parameter row: where results begin.
    func attend(_ span: RowSpan, into row: Int, next: RowSpan?, workspace: UnsafeMutablePointer<Float>) {
        let queries = activations.queryKeyValue + span.firstRow * shape.queryKeyValueWidth
        let outputs = activations.attended + row * shape.queryWidth
        let logSumExp = activations.logSumExp.map { $0 + row }
        let sharing = shape.queriesPerKeyValueHead
        if span.count == 1 {
            for head in 0..<shape.keyValueHeadCount {
                let isLast = head + 1 == shape.keyValueHeadCount
                Attention.forward(
                    query: queries + head * sharing * shape.headDimension, queryStride: shape.headDimension,
                    queryCount: sharing, firstPosition: span.firstPosition, positions: .same,
                    headDimension: shape.headDimension, scale: shape.attentionScale, blocks: span.blocks,
                    blockOffset: blockOffset + head * headStride, compact: shape.hasCompactKeyValues,
                    output: outputs + head * sharing * shape.headDimension, outputStride: shape.headDimension,
                    logSumExp: logSumExp.map { $0 + head * sharing * rows }, logSumExpStride: rows,
                    next: isLast ? next.map { blocks(of: $0, head: 0) } : blocks(of: span, head: head + 1),
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

    /// Attention of a family's rows, from row `first` on, over what their sequences share and what each has of its own.
    ///
    /// - Parameter row: where results begin.
    func attend(
        _ family: RowFamily, from first: Int, into row: Int, positions: UnsafePointer<Int>,
        tables: UnsafePointer<UnsafePointer<UnsafeMutablePointer<Float>>>, workspace: UnsafeMutablePointer<Float>
    ) {
        let sharing = shape.queriesPerKeyValueHead
        for head in 0..<shape.keyValueHeadCount {
            let column = head * sharing * shape.headDimension
            Attention.forwardSharing(
                query: activations.queryKeyValue + first * shape.queryKeyValueWidth + column,
                queryStride: shape.queryKeyValueWidth, members: family.count, queriesPerMember: sharing,
                positions: positions + family.first, tables: tables + family.first, sharedBlocks: family.sharedPages,
                headDimension: shape.headDimension, scale: shape.attentionScale,
                blockOffset: blockOffset + head * headStride, compact: shape.hasCompactKeyValues,
                output: activations.attended + row * shape.queryWidth + column, outputStride: shape.queryWidth,
                workspace: workspace)
        }
    }

    /// What the kernels read of a span's last position.
    private func blocks(of span: RowSpan, head: Int) -> Attention.NextBlocks {
        Attention.NextBlocks(
            blocks: span.blocks, blockCount: KeyValuePages.pages(positions: span.firstPosition + span.count),
            blockOffset: blockOffset + head * headStride)
    }

    /// What the output projection reads, and the residual that it adds to.
    func finishAttention(_ part: Range<Int>) {
        weights.output.arrange(part, of: activations.attended, into: arranged(for: weights.output))
        copy(activations.input, to: activations.middle, part)
    }

    /// Panels of rows' output projection, added to the residual.
    func projectOutput(_ panels: Range<Int>, rows: Range<Int>, coming: ComingReads) {
        weights.output.multiply(
            panels: panels, of: activations.attended, arranged: arranged(for: weights.output), rows: rows,
            into: activations.middle, accumulating: true, coming: coming)
    }

    /// Second norm of rows.
    func normalizeMiddle(_ part: Range<Int>) {
        let width = shape.hiddenSize
        let first = part.lowerBound
        add(weights.outputBias, to: activations.middle, part, width: width)
        Normalization.forwardMarkingOverflow(
            input: activations.middle + first * width, weight: weights.feedForwardNorm, rows: part.count, width: width,
            epsilon: shape.normalizationEpsilon, output: activations.feedForwardNormed + first * width,
            reciprocal: activations.feedForwardReciprocal + first)
        weights.gateUp.arrange(part, of: activations.feedForwardNormed, into: arranged(for: weights.gateUp))
    }

    /// Panels of rows' gate and up projection.
    func projectGateUp(_ panels: Range<Int>, rows: Range<Int>, coming: ComingReads) {
        weights.gateUp.multiply(
            panels: panels, of: activations.feedForwardNormed, arranged: arranged(for: weights.gateUp), rows: rows,
            into: activations.gateUp,
            coming: coming)
    }

    /// The gated rows, and, where the layer's result is wanted in `output` [rows][hidden], the residual that it begins with.
    func activate(_ part: Range<Int>, output: UnsafeMutablePointer<Float>?) {
        let width = shape.intermediateSize
        // Row by row: what is rounded is then still near.
        for row in part {
            SwiGLU.forward(
                gateUp: activations.gateUp + row * 2 * width, rows: 1, width: width,
                output: activations.activated + row * width)
            if output != nil {
                weights.down.arrange(row..<row + 1, of: activations.activated, into: arranged(for: weights.down))
            }
        }
        guard let output else { return }
        copy(activations.middle, to: output, part)
    }

    /// Panels of rows' down projection, added to the residual.
    func projectDown(
        _ panels: Range<Int>, rows: Range<Int>, coming: ComingReads, output: UnsafeMutablePointer<Float>
    ) {
        weights.down.multiply(
            panels: panels, of: activations.activated, arranged: arranged(for: weights.down), rows: rows, into: output,
            accumulating: true,
            coming: coming)
    }

    private func copy(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ part: Range<Int>) {
        // They are one where no backward pass follows.
        guard source != UnsafePointer(target) else { return }
        let width = shape.hiddenSize
        (target + part.lowerBound * width).update(from: source + part.lowerBound * width, count: part.count * width)
    }
}
