import Histogram

/// Percentiles of finished waits, in seconds.
public struct WaitPercentiles: Sendable, Codable, Hashable {
    public var count: Int
    public var p50: Double
    public var p90: Double
    public var p99: Double
    public var max: Double

    public init(count: Int, p50: Double, p90: Double, p99: Double, max: Double) {
        self.count = count
        self.p50 = p50
        self.p90 = p90
        self.p99 = p99
        self.max = max
    }
}

/// How a queue was used from its birth to now.
public struct QueueStatistics: Sendable, Codable, Hashable {
    public var name: String
    public var capacity: Int
    /// Elements in the queue now, without those of suspended senders.
    public var depth: Int
    public var maxDepth: Int
    /// Depth averaged over time.
    public var meanDepth: Double
    /// Elements that entered.
    public var sends: Int
    /// Elements that left.
    public var receives: Int
    /// Time that producers were suspended, summed over producers, present waits included.
    public var blockedSeconds: Double
    /// Time that consumers were suspended, summed over consumers, present waits included.
    public var starvedSeconds: Double
    public var blockedWaits: WaitPercentiles
    public var starvedWaits: WaitPercentiles

    public init(
        name: String, capacity: Int, depth: Int, maxDepth: Int, meanDepth: Double, sends: Int, receives: Int,
        blockedSeconds: Double, starvedSeconds: Double, blockedWaits: WaitPercentiles, starvedWaits: WaitPercentiles
    ) {
        self.name = name
        self.capacity = capacity
        self.depth = depth
        self.maxDepth = maxDepth
        self.meanDepth = meanDepth
        self.sends = sends
        self.receives = receives
        self.blockedSeconds = blockedSeconds
        self.starvedSeconds = starvedSeconds
        self.blockedWaits = blockedWaits
        self.starvedWaits = starvedWaits
    }
}

/// Finished waits as a distribution from 1 µs to 1 hour, two significant digits, in constant memory.
struct WaitHistogram: Sendable {
    static let longest: UInt64 = 3_600_000_000_000

    private var histogram = Histogram<UInt32>(
        lowestDiscernibleValue: 1000, highestTrackableValue: longest, numberOfSignificantValueDigits: .two)
    private(set) var totalNanoseconds: UInt64 = 0

    mutating func record(nanoseconds: UInt64) {
        totalNanoseconds += nanoseconds
        histogram.record(min(nanoseconds, Self.longest))
    }

    var percentiles: WaitPercentiles {
        func seconds(_ percentile: Double) -> Double {
            Double(histogram.valueAtPercentile(percentile)) / 1e9
        }
        guard histogram.totalCount > 0 else {
            return WaitPercentiles(count: 0, p50: 0, p90: 0, p99: 0, max: 0)
        }
        return WaitPercentiles(
            count: Int(histogram.totalCount), p50: seconds(50), p90: seconds(90), p99: seconds(99),
            max: Double(histogram.max) / 1e9)
    }
}
