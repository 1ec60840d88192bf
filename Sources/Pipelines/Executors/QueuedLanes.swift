import Synchronization

/// The lanes that have jobs waiting, a bit each. Written under the core's lock, read without.
final class QueuedLanes: Sendable {
    private let bits = Atomic(0)

    func insert(_ lane: Lane) {
        bits.bitwiseOr(1 << lane.rawValue, ordering: .relaxed)
    }

    func remove(_ lane: Lane) {
        bits.bitwiseAnd(~(1 << lane.rawValue), ordering: .relaxed)
    }

    /// Whether one of the lanes in `mask` has jobs.
    func contain(_ mask: Int) -> Bool {
        bits.load(ordering: .relaxed) & mask != 0
    }

    var areEmpty: Bool { !contain(-1) }
}

extension Lane {
    /// The lanes that go before this one.
    var better: Int { 1 << rawValue - 1 }
}
