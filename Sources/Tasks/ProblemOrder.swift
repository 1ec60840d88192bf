import Synchronization
import Trajectories

/// In which order a run visits its problems: every problem once an epoch, each epoch shuffled anew.
public struct ProblemOrder: Sendable {
    public let count: Int
    public let seed: UInt64
    private let latest = LatestEpoch()

    /// - Parameter count: problems, at least 1.
    public init(count: Int, seed: UInt64) {
        precondition(count > 0, "an order needs a problem")
        self.count = count
        self.seed = seed
    }

    /// The problem's index and how often it was visited before, for a position in the run; the same at every call.
    public func problem(at position: Int) -> (index: Int, visit: Int) {
        let epoch = position / count
        let index = latest.order.withLock { latest in
            if latest?.epoch != epoch { latest = (epoch, order(ofEpoch: epoch)) }
            return latest?.order[position % count] ?? 0
        }
        return (index, epoch)
    }

    /// All positions of one epoch.
    public func order(ofEpoch epoch: Int) -> [Int] {
        var generator = SplitMixGenerator(keys: seed, UInt64(epoch))
        var order = Array(0..<count)
        generator.shuffle(&order)
        return order
    }
}

/// The epoch that was asked for last: positions are asked for one after the other, and it is shuffled once.
private final class LatestEpoch: Sendable {
    let order = Mutex<(epoch: Int, order: [Int])?>(nil)
}
