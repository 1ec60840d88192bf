import Kernels

/// Places in the buffers of `PolicyWeights`; offsets in floats.
struct PolicyWeightLayout {
    struct Layer {
        var attentionNorm = 0
        var feedForwardNorm = 0
        var queryKeyValueBias: Int?
        var queryNorm: Int?
        var keyNorm: Int?
        var outputBias: Int?
        var blocks: BlockPlaces
    }

    /// Floats of a matrix that are converted and packed at a time where a row is not longer: they stay in the second-level cache.
    private static let chunk = 256 * 1024

    /// Values of the embedding.
    let embeddingCount: Int
    private(set) var finalNorm = 0
    let head: PackedMatrixPlace
    private(set) var layers: [Layer] = []
    private(set) var plainCount = 0
    private(set) var matrices: PackedMatrixLayout
    /// Pairs that packing takes on the way.
    let packWorkspace: Int
    /// Floats that are read at a time, at most.
    let rowCapacity: Int

    init(_ shape: ModelConfiguration) {
        embeddingCount = shape.vocabularySize * shape.hiddenSize
        var matrices = PackedMatrixLayout(shape.precision)
        let places = (0..<shape.layerCount).map { _ in
            BlockPlaces { matrices.place(outputs: $0.outputs(shape), depth: $0.inputs(shape)) }
        }
        head = matrices.place(outputs: shape.vocabularySize, depth: shape.hiddenSize)
        self.matrices = matrices
        packWorkspace = PackedMatrix.packWorkspace(depth: matrices.deepest, precision: shape.precision)
        let pieces = ([head] + places.flatMap { blocks in ProjectionBlock.allCases.map { blocks[$0] } }).map {
            min($0.outputs, Self.rowsAtATime(depth: $0.depth)) * $0.depth
        }
        rowCapacity = max(pieces.max() ?? 0, shape.queryKeyValueWidth, shape.headDimension)
        finalNorm = plain(shape.hiddenSize)
        for blocks in places {
            var layer = Layer(blocks: blocks)
            layer.attentionNorm = plain(shape.hiddenSize)
            layer.feedForwardNorm = plain(shape.hiddenSize)
            if shape.hasAttentionBias {
                layer.queryKeyValueBias = plain(shape.queryKeyValueWidth)
            }
            if shape.normalizesHeads {
                layer.queryNorm = plain(shape.headDimension)
                layer.keyNorm = plain(shape.headDimension)
            }
            if shape.attentionBias == .all {
                layer.outputBias = plain(shape.hiddenSize)
            }
            layers.append(layer)
        }
    }

    /// Rounds every start up to a cache line.
    private mutating func plain(_ count: Int) -> Int {
        defer { plainCount += (count + 15) / 16 * 16 }
        return plainCount
    }

    /// Rows of a matrix that are packed at a time: whole panels, which stand one behind another.
    static func rowsAtATime(depth: Int) -> Int {
        max(1, chunk / max(1, depth) / MatrixProduct.panelWidth) * MatrixProduct.panelWidth
    }
}
