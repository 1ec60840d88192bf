import Kernels
import Memory
import Synchronization

/// Lengths of a member's workspace for its part of a learner's pass, in elements of four bytes.
package struct WorkspaceSizes: Equatable, Sendable {
    var attention = 0
    /// [positions][2 · headDimension]: a head's keys and values of a sequence whose rows stand apart, and as many for their
    /// gradients.
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

    /// Of all buffers together.
    var count: Int { attention + 2 * gathered + attentionBackward + product + scratch }

    package var byteCount: Int { 4 * count }
}

/// What a member needs for its part of a learner's pass, whichever pass it is. Nothing in it outlives a tile, and it grows as
/// passes need.
final class PassWorkspace: @unchecked Sendable {
    // Unchecked: whoever `PassWorkspaces` has lent it to has it alone, and its lock passes it on.

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

/// Workspaces for passes that take turns or run side by side.
///
/// A member of a pass has one for as long as it is at work, whichever thread it is: so there are never more than members have
/// been at work at once, however many threads have taken part in time.
public final class PassWorkspaces: Sendable {
    /// Those that no member has; the last one to come back is lent first, while caches may hold it.
    let idle = Mutex<[PassWorkspace]>([])

    public init() {}

    /// How many there are while no pass runs.
    package var count: Int { idle.withLock { $0.count } }

    /// Calls `body` with one that nobody else has until it returns, with room for so much.
    func lend(_ sizes: WorkspaceSizes, to body: (PassWorkspace) -> Void) {
        let workspace = idle.withLock { $0.popLast() } ?? PassWorkspace()
        workspace.reserve(sizes)
        body(workspace)
        idle.withLock { $0.append(workspace) }
    }
}
