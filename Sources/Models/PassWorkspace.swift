import Kernels
import Memory

/// Lengths of a thread's workspace for its part of a learner's pass, in elements of four bytes.
package struct WorkspaceSizes: Equatable, Sendable {
    var attention = 0
    /// [positions][2 · headDimension]: a head's keys and values of a sequence whose rows stand apart, and as many for their gradients.
    var gathered = 0
    var attentionBackward = 0
    var product = 0
    /// Rounded rows, for products of activations with weights.
    var scratch = 0

    /// Each buffer as large as the larger of the two.
    package mutating func formMaximum(_ other: WorkspaceSizes) {
        attention = max(attention, other.attention)
        gathered = max(gathered, other.gathered)
        attentionBackward = max(attentionBackward, other.attentionBackward)
        product = max(product, other.product)
        scratch = max(scratch, other.scratch)
    }

    package var byteCount: Int { 4 * (attention + 2 * gathered + attentionBackward + product + scratch) }
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

    /// What there is room for.
    var sizes: WorkspaceSizes {
        WorkspaceSizes(
            attention: attention.count, gathered: gatheredKeyValue.count, attentionBackward: attentionBackward.count,
            product: product.count, scratch: scratch.count)
    }

    /// Grows each buffer that is too small.
    func reserve(_ needed: WorkspaceSizes) {
        let present = sizes
        if needed.attention > present.attention { attention = AlignedBuffer(count: needed.attention) }
        if needed.gathered > present.gathered {
            gatheredKeyValue = AlignedBuffer(count: needed.gathered)
            gatheredGradient = AlignedBuffer(count: needed.gathered)
        }
        if needed.attentionBackward > present.attentionBackward {
            attentionBackward = AlignedBuffer(count: needed.attentionBackward)
        }
        if needed.product > present.product { product = AlignedBuffer(count: needed.product, pages: .large) }
        if needed.scratch > present.scratch { scratch = AlignedBuffer(count: needed.scratch, pages: .large) }
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
