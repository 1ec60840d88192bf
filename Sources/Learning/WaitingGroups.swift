import Synchronization
import Trajectories

/// Scored groups that wait for their update, by ordinal: those that came before the others of their batch.
///
/// The learning stage alone adds and removes; others may look, to save what waits.
public final class WaitingGroups: Sendable {
    private let groups = Mutex<[Int: ScoredGroup]>([:])

    public init() {}

    func add(_ group: ScoredGroup) {
        groups.withLock { $0[group.request.ordinal] = group }
    }

    /// The groups of a batch, in order; nil while one is missing.
    func batch(_ ordinals: Range<Int>) -> [ScoredGroup]? {
        groups.withLock { groups in
            let batch = ordinals.compactMap { groups[$0] }
            return batch.count == ordinals.count ? batch : nil
        }
    }

    func remove(_ ordinals: Range<Int>) {
        groups.withLock { groups in
            for ordinal in ordinals { groups[ordinal] = nil }
        }
    }

    /// What waits now, in order.
    public func snapshot() -> [ScoredGroup] {
        groups.withLock { $0.values.sorted { $0.request.ordinal < $1.request.ordinal } }
    }
}
