/// A seeded stream of random numbers (SplitMix64; Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014), equal on every machine.
///
/// Problems are drawn with its own `index(below:)` and `shuffle`, not with the standard library's, whose algorithms may
/// change between versions of Swift.
public struct SplitMixGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    /// A stream for one item, for example (seed, split, index, attempt): streams of different keys are independent.
    public init(keys: UInt64...) {
        state = keys.reduce(0) { SplitMixGenerator.mix(($0 ^ $1) &+ 0x9e37_79b9_7f4a_7c15) }
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return SplitMixGenerator.mix(state)
    }

    /// Uniform in 0..<bound, biased by less than bound / 2⁶⁴. `bound` is at least 1.
    public mutating func index(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// True with this probability.
    public mutating func chance(_ probability: Double) -> Bool {
        Double(next() >> 11) * 0x1p-53 < probability
    }

    /// Fisher and Yates.
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        for last in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(last, index(below: last + 1))
        }
    }

    static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
