import Kernels
import Memory

/// A part of a model that is packed by itself.
enum WeightPart {
    /// Rows of the embedding and of the head, and with the first of them the last norm.
    case vocabulary(Range<Int>)
    case layer(Int)

    /// Rows of a vocabulary that make a part: whole panels, and some milliseconds of work.
    private static let rows = 256 * MatrixProduct.panelWidth

    static func all(of shape: ModelConfiguration) -> [WeightPart] {
        stride(from: 0, to: shape.vocabularySize, by: rows).map {
            .vocabulary($0..<min(shape.vocabularySize, $0 + rows))
        } + (0..<shape.layerCount).map { .layer($0) }
    }
}

/// Packs parts of a model, a bounded number of rows at a time.
struct PolicyWeightWriter<Origin: WeightOrigin>: ~Copyable {
    private let weights: PolicyWeights
    private let source: WeightSource<Origin>
    private let workspace: AlignedBuffer<BFloat16Pair>

    init(_ weights: PolicyWeights, _ source: consuming WeightSource<Origin>) {
        self.weights = weights
        self.source = source
        workspace = AlignedBuffer(count: weights.offsets.packWorkspace)
    }

    func write(_ part: WeightPart) throws(Origin.Failure) {
        switch part {
        case .vocabulary(let rows): try write(vocabulary: rows)
        case .layer(let index): try write(layer: index)
        }
    }

    private var shape: ModelConfiguration { weights.configuration }

    /// A head that is tied to the embedding is packed from the same rows.
    private func write(vocabulary rows: Range<Int>) throws(Origin.Failure) {
        let layout = source.origin.layout
        let width = shape.hiddenSize
        let embedding = weights.embedding
        let step = PolicyWeightLayout.rowsAtATime(depth: width)
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: step) {
            let count = min(step, rows.upperBound - first)
            let start = layout.embedding + first * width
            var values = try source.values(start..<start + count * width)
            embedding.write(values, at: first * width, count: count * width)
            if layout.head != layout.embedding {
                values = try source.head(rows: first..<first + count)
            }
            pack(values, first, count, of: weights.offsets.head)
        }
        if rows.lowerBound == 0 { try copy(layout.finalNorm, to: weights.offsets.finalNorm, count: width) }
    }

    private func write(layer: Int) throws(Origin.Failure) {
        let from = source.origin.layout.layers[layer]
        let to = weights.offsets.layers[layer]
        try copy(from.attentionNorm, to: to.attentionNorm, count: shape.hiddenSize)
        try pack(.queryKeyValue, layer, to.blocks)
        try copy(from.queryKeyValueBias, to: to.queryKeyValueBias, count: shape.queryKeyValueWidth)
        try copy(from.queryNorm, to: to.queryNorm, count: shape.headDimension)
        try copy(from.keyNorm, to: to.keyNorm, count: shape.headDimension)
        try pack(.output, layer, to.blocks)
        try copy(from.outputBias, to: to.outputBias, count: shape.hiddenSize)
        try copy(from.feedForwardNorm, to: to.feedForwardNorm, count: shape.hiddenSize)
        try pack(.gateUp, layer, to.blocks)
        try pack(.down, layer, to.blocks)
    }

    /// Copies a vector, which some architectures do not have.
    private func copy(_ offset: Int?, to target: Int?, count: Int) throws(Origin.Failure) {
        guard let offset, let target else { return }
        (weights.plain.pointer + target).update(from: try source.values(offset..<offset + count), count: count)
    }

    private func pack(_ block: ProjectionBlock, _ layer: Int, _ places: BlockPlaces) throws(Origin.Failure) {
        let place = places[block]
        let step = PolicyWeightLayout.rowsAtATime(depth: place.depth)
        for first in stride(from: 0, to: place.outputs, by: step) {
            let count = min(step, place.outputs - first)
            pack(try source.matrix(block, layer: layer, rows: first..<first + count), first, count, of: place)
        }
    }

    /// Packs rows of a matrix, from a whole panel on.
    private func pack(_ rows: UnsafePointer<Float>, _ first: Int, _ count: Int, of place: PackedMatrixPlace) {
        let precision = shape.precision
        let before = PackedMatrix.laneCount(outputs: first, depth: place.depth, precision: precision)
        PackedMatrix.pack(
            rows, outputs: count, depth: place.depth, precision: precision,
            into: weights.panels.pointer + place.offset + before, workspace: workspace.pointer)
    }
}
