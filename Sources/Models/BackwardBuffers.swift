import Kernels
import Memory

/// Scratch rows of the backward pass, for one layer at a time.
struct BackwardBuffers: ~Copyable {
    private let configuration: ModelConfiguration
    private var rows = 0
    private var targets = 0
    private var positions = 0
    /// [rows][hidden]: gradient of the residual stream, and of a norm's output.
    private(set) var hidden = AlignedBuffer<Float>(count: 0)
    private(set) var normed = AlignedBuffer<Float>(count: 0)
    private(set) var queryKeyValue = AlignedBuffer<Float>(count: 0)
    /// [rotatedWidth]: of one row, the gradient of its normalised heads.
    private(set) var normedHeads = AlignedBuffer<Float>(count: 0)
    private(set) var attended = AlignedBuffer<Float>(count: 0)
    private(set) var gateUp = AlignedBuffer<Float>(count: 0)
    private(set) var activated = AlignedBuffer<Float>(count: 0)
    /// [targets][vocabulary] and [targets][hidden].
    private(set) var logits = AlignedBuffer<Float>(count: 0)
    private(set) var targetRows = AlignedBuffer<Float>(count: 0)
    /// [positions][2 · keyValueWidth]: keys and values of a sequence whose rows stand apart, and their gradients.
    private(set) var gatheredKeyValue = AlignedBuffer<Float>(count: 0)
    private(set) var gatheredGradient = AlignedBuffer<Float>(count: 0)
    private(set) var attentionWorkspace = AlignedBuffer<Float>(count: 0)
    private(set) var productWorkspace = AlignedBuffer<Float>(count: 0)

    init(configuration: ModelConfiguration) {
        self.configuration = configuration
        if configuration.normalizesHeads {
            normedHeads = AlignedBuffer(count: configuration.rotatedWidth)
        }
    }

    mutating func prepare(rows newRows: Int, targets newTargets: Int, positions newPositions: Int) {
        let shape = configuration
        if newRows > rows {
            rows = newRows
            hidden = AlignedBuffer(count: rows * shape.hiddenSize)
            normed = AlignedBuffer(count: rows * shape.hiddenSize)
            queryKeyValue = AlignedBuffer(count: rows * shape.queryKeyValueWidth)
            attended = AlignedBuffer(count: rows * shape.queryWidth)
            gateUp = AlignedBuffer(count: rows * 2 * shape.intermediateSize)
            activated = AlignedBuffer(count: rows * shape.intermediateSize)
        }
        if newTargets > targets {
            targets = newTargets
            logits = AlignedBuffer(count: targets * shape.vocabularySize)
            targetRows = AlignedBuffer(count: targets * shape.hiddenSize)
        }
        if newPositions > positions {
            positions = newPositions
            gatheredKeyValue = AlignedBuffer(count: positions * 2 * shape.keyValueWidth)
            gatheredGradient = AlignedBuffer(count: positions * 2 * shape.keyValueWidth)
            attentionWorkspace = AlignedBuffer(
                count: Attention.backwardWorkspaceCount(
                    headDimension: shape.headDimension, positions: positions))
        }
        // Of the batch at hand, not of the largest: fewer rows may need more, since they form other blocks.
        let products = [
            (newRows, shape.queryKeyValueWidth, shape.hiddenSize), (newRows, shape.hiddenSize, shape.queryWidth),
            (newRows, 2 * shape.intermediateSize, shape.hiddenSize),
            (newRows, shape.hiddenSize, shape.intermediateSize), (newTargets, shape.vocabularySize, shape.hiddenSize),
        ]
        let needed =
            products.map {
                MatrixProduct.weightGradientWorkspace(rows: $0.0, outputs: $0.1, inputs: $0.2)
            }.max() ?? 0
        if needed > productWorkspace.count {
            productWorkspace = AlignedBuffer(count: needed)
        }
    }
}
