import Kernels
import Memory

/// Lengths of a thread's workspace for its part of a learner's pass, in elements of four bytes.
struct WorkspaceSizes {
    var attention = 0
    /// [positions][2 · headDimension]: a head's keys and values of a sequence whose rows stand apart, and as many for their gradients.
    var gathered = 0
    var attentionBackward = 0
    var product = 0
    /// Rounded rows, for products of activations with weights.
    var scratch = 0

    var count: Int { attention + 2 * gathered + attentionBackward + product + scratch }
}

/// What a thread needs for its part of a learner's pass, whichever pass it is. Nothing in it outlives a tile, and it grows as passes
/// need.
final class PassWorkspace {
    private(set) var attention = AlignedBuffer<Float>(count: 0)
    private(set) var gatheredKeyValue = AlignedBuffer<Float>(count: 0)
    private(set) var gatheredGradient = AlignedBuffer<Float>(count: 0)
    private(set) var attentionBackward = AlignedBuffer<Float>(count: 0)
    private(set) var product = AlignedBuffer<Float>(count: 0)
    private(set) var scratch = AlignedBuffer<BFloat16Pair>(count: 0)

    /// Elements of all.
    var count: Int {
        attention.count + gatheredKeyValue.count + gatheredGradient.count + attentionBackward.count + product.count
            + scratch.count
    }

    func reserve(_ sizes: WorkspaceSizes) {
        if sizes.attention > attention.count { attention = AlignedBuffer(count: sizes.attention) }
        if sizes.gathered > gatheredKeyValue.count {
            gatheredKeyValue = AlignedBuffer(count: sizes.gathered)
            gatheredGradient = AlignedBuffer(count: sizes.gathered)
        }
        if sizes.attentionBackward > attentionBackward.count {
            attentionBackward = AlignedBuffer(count: sizes.attentionBackward)
        }
        if sizes.product > product.count { product = AlignedBuffer(count: sizes.product, pages: .large) }
        if sizes.scratch > scratch.count { scratch = AlignedBuffer(count: sizes.scratch, pages: .large) }
    }
}

/// A workspace for each thread of an executor, for all passes that its threads may share.
public final class PassWorkspaces: @unchecked Sendable {
    // Unchecked: a workspace is used, and grown, by the thread alone whose place in a team is its own, and that thread is in one
    // pass at a time. The list itself does not change.
    private let workspaces: [PassWorkspace]

    /// - Parameter threads: of the executor; of one that has more, none share a pass.
    public init(threads: Int) {
        workspaces = (0..<max(1, threads)).map { _ in PassWorkspace() }
    }

    var places: Int { workspaces.count }

    subscript(place: Int) -> PassWorkspace { workspaces[place] }
}
