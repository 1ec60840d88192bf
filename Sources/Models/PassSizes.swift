import Kernels

/// What a pass keeps of each layer for its backward pass.
public enum ActivationStorage: String, Sendable, Hashable, Codable, CaseIterable {
    /// All that the backward pass reads.
    case kept
    /// The layer's input alone; the backward pass computes the rest again, one layer at a time and with the same bits
    /// (Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174).
    case recomputed
}

/// Lengths of a pass's buffers, in elements of four bytes, for so many rows, targets and positions of the longest sequence.
struct PassSizes {
    /// [rows], twice: tokens and positions.
    let indices: Int
    /// [rows][hidden], twice: the last layer's result and its norm.
    let hidden: Int
    /// [rows].
    let reciprocal: Int
    /// [layers][rows][hidden]; none where nothing is kept, and each layer's result takes the place of its input.
    let inputs: Int
    /// One layer's activations, and those that are there at a time.
    let layer: ActivationLayout
    let layers: Int
    let targetRows: Int
    let logits: Int
    /// [targets], three times: the sum of exponentials, the log-probability and the entropy.
    let targetValues: Int
    /// Rounded rows of the product that comes next, of all rows.
    let scratch: Int
    /// Of a member, for the forward pass alone.
    let workspace: WorkspaceSizes

    /// - Parameter storage: nil where no backward pass follows.
    init(
        _ shape: ModelConfiguration, storage: ActivationStorage?, rows: Int, targets: Int, positions: Int
    ) {
        indices = rows
        hidden = rows * shape.hiddenSize
        reciprocal = rows
        inputs = storage == nil ? 0 : shape.layerCount * rows * shape.hiddenSize
        layer = ActivationLayout(configuration: shape, rows: rows, purpose: storage == nil ? .inference : .training)
        layers = layer.count * (storage == .kept ? shape.layerCount : 1)
        targetRows = targets * shape.hiddenSize
        logits = (storage == nil ? min(targets, Backpropagation.targetsAtATime) : targets) * shape.vocabularySize
        targetValues = targets
        scratch = shape.forwardScratch(rows: max(rows, targets))
        workspace = WorkspaceSizes(shape, positions: positions)
    }

    var memory: [MemoryItem] {
        [
            MemoryItem("tokens and positions", elements: 2 * indices),
            MemoryItem("layer inputs", elements: inputs),
            MemoryItem("layer activations", elements: layers),
            MemoryItem("last layer's result", elements: 2 * hidden + reciprocal),
            MemoryItem("logits", elements: logits + targetRows + 3 * targetValues),
            MemoryItem("rounded rows", elements: scratch),
        ]
    }
}

/// Lengths of the backward pass's buffers, likewise.
struct BackwardSizes {
    let hidden: Int
    let queryKeyValue: Int
    let normedHeads: Int
    let attended: Int
    let gateUp: Int
    let activated: Int
    let targetRows: Int
    /// [rows or targets][rank]; none without adapters.
    let lowRank: Int
    /// Where gradients of norms go that are not wanted; none without adapters.
    let discarded: Int
    /// Of a member, for the forward pass too.
    let workspace: WorkspaceSizes

    /// - Parameter rank: of the adapters, where their gradient is wanted.
    init(_ shape: ModelConfiguration, rows: Int, targets: Int, positions: Int, rank: Int? = nil) {
        hidden = rows * shape.hiddenSize
        queryKeyValue = rows * shape.queryKeyValueWidth
        normedHeads = shape.normalizesHeads ? shape.rotatedWidth : 0
        attended = rows * shape.queryWidth
        gateUp = rows * 2 * shape.intermediateSize
        activated = rows * shape.intermediateSize
        targetRows = targets * shape.hiddenSize
        lowRank = max(rows, targets) * (rank ?? 0)
        discarded = rank == nil ? 0 : max(shape.hiddenSize, shape.headDimension)
        let weights =
            ProjectionBlock.allCases.map { (rows: rows, outputs: $0.outputs(shape), inputs: $0.inputs(shape)) }
            + [(rows: targets, outputs: shape.vocabularySize, inputs: shape.hiddenSize)]
        let rounded = weights.map {
            PackedMatrix.scratchCount(rows: $0.rows, depth: $0.outputs, precision: shape.precision)
        }
        let packed =
            if let rank {
                ([rank] + Projection.allCases.map { $0.inputs(shape) }).flatMap { inputs in
                    [rows, targets].map { MatrixProduct.weightGradientWorkspace(rows: $0, inputs: inputs) }
                }
            } else {
                weights.map {
                    WeightGradient.workspaceCount(rows: $0.rows, inputs: $0.inputs, precision: shape.precision)
                }
            }
        var workspace = WorkspaceSizes(shape, positions: positions)
        workspace.gathered = positions * 2 * shape.headDimension
        workspace.attentionBackward = Attention.backwardWorkspaceCount(
            headDimension: shape.headDimension, positions: positions)
        workspace.product = packed.max() ?? 0
        workspace.scratch = rounded.max() ?? 0
        self.workspace = workspace
    }

    var memory: [MemoryItem] {
        [
            MemoryItem(
                "gradients of activations",
                elements: 2 * hidden + queryKeyValue + normedHeads + attended + gateUp + activated + targetRows),
            MemoryItem("adapters' rows", elements: lowRank + discarded),
        ]
    }
}

extension WorkspaceSizes {
    /// Of a forward pass.
    fileprivate init(_ shape: ModelConfiguration, positions: Int) {
        self.init(
            attention: Attention.workspaceCount(headDimension: shape.headDimension, maximumPositions: positions))
    }
}
