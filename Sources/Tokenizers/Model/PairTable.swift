/// An immutable map from 64-bit keys to 64-bit values: open addressing, linear probing, at most half full.
///
/// Encoding looks up two pairs for every merge; `Dictionary` with its keyed hash takes several times as long.
struct PairTable: Sendable {
    /// Marks a free slot; no pair of ids has this key, since ids are not negative.
    private static let free = UInt64.max

    /// A key beside its value: a look-up mostly touches one cache line.
    private var slots: [SIMD2<UInt64>]
    private let shift: UInt64

    /// Of equal keys the last one counts.
    init(_ entries: [(key: UInt64, value: UInt64)]) {
        var bits: UInt64 = 4
        while 1 << bits < 2 * entries.count { bits += 1 }
        shift = 64 - bits
        slots = Array(repeating: SIMD2(Self.free, 0), count: 1 << bits)
        for (key, value) in entries {
            slots[slot(of: key)] = SIMD2(key, value)
        }
    }

    /// The slot that holds the key, or the free one where it would be. Fibonacci hashing: the odd factor is 2^64 /
    /// golden ratio.
    @inline(__always)
    private func slot(of key: UInt64) -> Int {
        var slot = Int((key &* 0x9e37_79b9_7f4a_7c15) >> shift)
        while slots[slot].x != key && slots[slot].x != Self.free {
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    subscript(key: UInt64) -> UInt64? {
        let slot = slots[slot(of: key)]
        return slot.x == key ? slot.y : nil
    }
}
