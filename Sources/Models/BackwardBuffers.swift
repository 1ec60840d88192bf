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
    private(set) var scratch = AlignedBuffer<BFloat16Pair>(count: 0)
    /// [rows][rank] of adapters, and the room for gradients that are not wanted.
    private(set) var lowRank = AlignedBuffer<Float>(count: 0)
    private(set) var discarded = AlignedBuffer<Float>(count: 0)

    init(configuration: ModelConfiguration) {
        self.configuration = configuration
    }

    /// - Parameter rank: of the adapters, where their gradient is wanted.
    mutating func prepare(rows newRows: Int, targets newTargets: Int, positions newPositions: Int, rank: Int? = nil) {
        let sizes = BackwardSizes(
            configuration, rows: newRows, targets: newTargets, positions: newPositions, rank: rank)
        if newRows > rows {
            rows = newRows
            hidden = AlignedBuffer(count: sizes.hidden, pages: .large)
            normed = AlignedBuffer(count: sizes.hidden, pages: .large)
            queryKeyValue = AlignedBuffer(count: sizes.queryKeyValue, pages: .large)
            normedHeads = AlignedBuffer(count: sizes.normedHeads)
            attended = AlignedBuffer(count: sizes.attended, pages: .large)
            gateUp = AlignedBuffer(count: sizes.gateUp, pages: .large)
            activated = AlignedBuffer(count: sizes.activated, pages: .large)
        }
        if newTargets > targets {
            targets = newTargets
            logits = AlignedBuffer(count: sizes.logits, pages: .large)
            targetRows = AlignedBuffer(count: sizes.targetRows, pages: .large)
        }
        if newPositions > positions {
            positions = newPositions
            gatheredKeyValue = AlignedBuffer(count: sizes.gathered)
            gatheredGradient = AlignedBuffer(count: sizes.gathered)
            attentionWorkspace = AlignedBuffer(count: sizes.attentionWorkspace)
        }
        // Of the batch at hand, not of the largest: fewer rows may need more, since they form other blocks.
        if sizes.productWorkspace > productWorkspace.count {
            productWorkspace = AlignedBuffer(count: sizes.productWorkspace, pages: .large)
        }
        if sizes.scratch > scratch.count {
            scratch = AlignedBuffer(count: sizes.scratch, pages: .large)
        }
        if sizes.lowRank > lowRank.count {
            lowRank = AlignedBuffer(count: sizes.lowRank)
        }
        if sizes.discarded > discarded.count {
            discarded = AlignedBuffer(count: sizes.discarded)
        }
    }
}
