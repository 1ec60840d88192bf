/// A queue's counters over time.
struct QueueMeter: Sendable {
    var sends = 0
    var receives = 0
    var blocked = WaitHistogram()
    var starved = WaitHistogram()
    private var depth: Int
    private var maxDepth: Int
    private let birth: UInt64
    private var last: UInt64
    /// The integral of depth over time, in element-nanoseconds.
    private var depthTime: Double = 0

    init(depth: Int, at now: UInt64) {
        self.depth = depth
        maxDepth = depth
        birth = now
        last = now
    }

    mutating func record(depth newDepth: Int, at now: UInt64) {
        depthTime += Double(depth) * Double(now.since(last))
        last = now
        depth = newDepth
        maxDepth = max(maxDepth, newDepth)
    }

    /// - Parameters:
    ///   - blocked: nanoseconds of the senders' present waits.
    ///   - starved: nanoseconds of the receivers' present waits.
    func statistics(name: String, capacity: Int, blocked present: UInt64, starved presentStarved: UInt64)
        -> QueueStatistics
    {
        QueueStatistics(
            name: name, capacity: capacity, depth: depth, maxDepth: maxDepth,
            meanDepth: last > birth ? depthTime / Double(last - birth) : Double(depth),
            sends: sends, receives: receives,
            blockedSeconds: Double(blocked.totalNanoseconds + present) / 1e9,
            starvedSeconds: Double(starved.totalNanoseconds + presentStarved) / 1e9,
            blockedWaits: blocked.percentiles, starvedWaits: starved.percentiles)
    }
}
