import Kernels
import Memory

/// Scratch rows of the backward pass, for one layer at a time.
struct BackwardBuffers: ~Copyable {
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
    /// [targets][hidden].
    private(set) var targetRows = AlignedBuffer<Float>(count: 0)
    /// [rows or targets][rank] of adapters, and the room for gradients that are not wanted.
    private(set) var lowRank = AlignedBuffer<Float>(count: 0)
    private(set) var discarded = AlignedBuffer<Float>(count: 0)

    /// Makes room for so many rows and targets.
    mutating func prepare(rows newRows: Int, targets newTargets: Int, _ sizes: BackwardSizes) {
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
            targetRows = AlignedBuffer(count: sizes.targetRows, pages: .large)
        }
        if sizes.lowRank > lowRank.count {
            lowRank = AlignedBuffer(count: sizes.lowRank)
        }
        if sizes.discarded > discarded.count {
            discarded = AlignedBuffer(count: sizes.discarded)
        }
    }
}
