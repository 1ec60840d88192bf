import Kernels
import Pipelines

/// Works on long vectors in slices of a fixed length, which the lane's idle threads take; what comes out does not depend on who
/// took which.
struct SliceLoop: Sendable {
    /// Elements of a slice: some tens of microseconds of work.
    private static let length = 1 << 16

    private let lane: ComputeLane?

    /// - Parameter lane: that of the running job by default; elsewhere than on a lane everything runs on the caller.
    init(_ lane: (any TaskExecutor)? = nil) {
        self.lane = lane as? ComputeLane
    }

    /// Calls `body` once for each of `0..<tiles`, on several threads at once.
    func perform(tiles: Int, _ body: (Int) -> Void) {
        if let lane {
            lane.concurrentPerform(tiles: tiles, body)
        } else {
            ComputeExecutor.concurrentPerform(tiles: tiles, body)
        }
    }

    /// Calls `body` with ranges that together are `0..<count`.
    func perform(over count: Int, _ body: (Range<Int>) -> Void) {
        perform(tiles: Self.slices(of: count)) { body(Self.slice($0, of: count)) }
    }

    /// Adds up what `body` makes of each slice, in their order.
    func sum(over count: Int, _ body: (Range<Int>) -> Double) -> Double {
        var parts = [Double](repeating: 0, count: Self.slices(of: count))
        parts.withUnsafeMutableBufferPointer { parts in
            // Each tile writes its own element; `perform` returns after all of them.
            nonisolated(unsafe) let parts = parts
            perform(tiles: parts.count) { parts[$0] = body(Self.slice($0, of: count)) }
        }
        return parts.reduce(0, +)
    }

    private static func slices(of count: Int) -> Int { (count + length - 1) / length }

    private static func slice(_ index: Int, of count: Int) -> Range<Int> {
        index * length..<min(count, (index + 1) * length)
    }
}
