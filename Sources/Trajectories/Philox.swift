import Foundation

/// Philox4x32-10: a counter-based generator (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
///
/// Every 128-bit counter gives 128 random bits that depend on it and the key alone, so numbers can be drawn in any
/// order.
public struct Philox: Sendable, Hashable {
    /// The key's low and high 32 bits are the algorithm's first and second key word.
    public let key: UInt64

    public init(key: UInt64) {
        self.key = key
    }

    /// The four words at a counter.
    public func words(at counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
        var (first, second, third, fourth) = (counter.x, counter.y, counter.z, counter.w)
        var firstKey = UInt32(truncatingIfNeeded: key)
        var secondKey = UInt32(truncatingIfNeeded: key >> 32)
        for _ in 0..<10 {
            let even = first.multipliedFullWidth(by: 0xd251_1f53)
            let odd = third.multipliedFullWidth(by: 0xcd9e_8d57)
            (first, second, third, fourth) = (
                odd.high ^ second ^ firstKey, odd.low, even.high ^ fourth ^ secondKey, even.low
            )
            firstKey &+= 0x9e37_79b9
            secondKey &+= 0xbb67_ae85
        }
        return SIMD4(first, second, third, fourth)
    }

    /// A word's upper 24 bits as a number in [0, 1), a multiple of 2^-24.
    public static func uniform(_ word: UInt32) -> Float {
        Float(word >> 8) * 0x1p-24
    }

    /// The number in [0, 1) that decides a sampled token: that of the stream with purpose `sampling` at the token's
    /// position.
    public static func uniform(seed: UInt64, problem: UInt64, visit: Int, sample: Int, position: Int) -> Float {
        RandomStream(seed: seed, purpose: .sampling, problem: problem, visit: visit, sample: sample).uniform(
            at: position)
    }

    /// Two independent numbers of the normal distribution with mean 0 and variance 1 (Box and Muller, 1958).
    ///
    /// Computed in double precision and rounded, so that one step of difference between mathematical libraries all but
    /// never shows.
    public static func normal(_ first: UInt32, _ second: UInt32) -> (Float, Float) {
        // In (0, 1], so that the logarithm is finite.
        let radius = (-2 * log((Double(first) + 1) * 0x1p-32)).squareRoot()
        let angle = 2 * Double.pi * Double(second) * 0x1p-32
        return (Float(radius * cos(angle)), Float(radius * sin(angle)))
    }
}

/// The random numbers of one thing that a run draws; what is drawn does not depend on when, or on which thread.
///
/// A stream is named by the run's seed, its purpose, a problem's key (`Problem.key`), the visit to the problem and the
/// sample of the group; every position in it has 128 bits of its own. Philox under the seed turns purpose and key into
/// the stream's own key, and its counter is (position low, position high, sample, visit).
public struct RandomStream: Sendable, Hashable {
    /// Streams of different purposes are independent of one another.
    public enum Purpose: UInt32, Sendable {
        case sampling = 1
        case initialization = 2
        case problems = 4
    }

    private let generator: Philox
    private let sample: UInt32
    private let visit: UInt32

    /// `visit` and `sample` count from 0; their low 32 bits are used.
    public init(seed: UInt64, purpose: Purpose, problem: UInt64 = 0, visit: Int = 0, sample: Int = 0) {
        let words = Philox(key: seed).words(
            at: SIMD4(
                UInt32(truncatingIfNeeded: problem), UInt32(truncatingIfNeeded: problem >> 32), purpose.rawValue, 0))
        generator = Philox(key: UInt64(words.x) | UInt64(words.y) << 32)
        self.sample = UInt32(truncatingIfNeeded: sample)
        self.visit = UInt32(truncatingIfNeeded: visit)
    }

    /// The four words at a position, for example that of a token in its completion.
    public func words(at position: Int) -> SIMD4<UInt32> {
        let position = UInt64(bitPattern: Int64(position))
        return generator.words(
            at: SIMD4(UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32), sample, visit))
    }

    /// A number in [0, 1) from the first word at a position.
    public func uniform(at position: Int) -> Float {
        Philox.uniform(words(at: position).x)
    }

    /// Two normal numbers from the first two words at a position.
    public func normal(at position: Int) -> (Float, Float) {
        let words = words(at: position)
        return Philox.normal(words.x, words.y)
    }
}
