import Kernels
import Memory

/// Scratch rows of the backward pass, for one layer at a time.
struct BackwardBuffers: ~Copyable {
    private let configuration: ModelConfiguration
    private var rows = 0
    private var targets = 0
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
    /// For each member of a team, [positions][2 · headDimension]: a head's keys and values of a sequence whose rows stand apart, and
    /// their gradients.
    private(set) var gatheredKeyValue = MemberBuffers<Float>()
    private(set) var gatheredGradient = MemberBuffers<Float>()
    private(set) var attentionWorkspace = MemberBuffers<Float>()
    private(set) var productWorkspace = MemberBuffers<Float>(pages: .large)
    /// Rounded rows, for products of activations with weights.
    private(set) var scratch = MemberBuffers<BFloat16Pair>(pages: .large)
    /// [rows][rank] of adapters, and the room for gradients that are not wanted.
    private(set) var lowRank = AlignedBuffer<Float>(count: 0)
    private(set) var discarded = AlignedBuffer<Float>(count: 0)

    init(configuration: ModelConfiguration) {
        self.configuration = configuration
    }

    /// - Parameters:
    ///   - rank: of the adapters, where their gradient is wanted.
    ///   - places: members that may share the pass.
    mutating func prepare(
        rows newRows: Int, targets newTargets: Int, positions: Int, rank: Int? = nil, places: Int = 1
    ) {
        let sizes = BackwardSizes(
            configuration, rows: newRows, targets: newTargets, positions: positions, rank: rank)
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
        gatheredKeyValue.reserve(sizes.gathered, places: places)
        gatheredGradient.reserve(sizes.gathered, places: places)
        attentionWorkspace.reserve(sizes.attentionWorkspace, places: places)
        // Of the batch at hand, not of the largest: fewer rows may need more, since they form other blocks.
        productWorkspace.reserve(sizes.productWorkspace, places: places)
        scratch.reserve(sizes.scratch, places: places)
        if sizes.lowRank > lowRank.count {
            lowRank = AlignedBuffer(count: sizes.lowRank)
        }
        if sizes.discarded > discarded.count {
            discarded = AlignedBuffer(count: sizes.discarded)
        }
    }
}
