/// An immutable map from 64-bit keys to 64-bit values: open addressing, linear probing, at most half full.
///
/// Encoding looks up two pairs for every merge; `Dictionary` with its keyed hash takes several times as long.
struct PairTable: Sendable {
    /// Marks a free slot; no pair of ids has this key, since ids are not negative.
    private static let free = UInt64.max

    private var keys: [UInt64]
    private var values: [UInt64]
    private let shift: UInt64

    /// Of equal keys the last one counts.
    init(_ entries: [(key: UInt64, value: UInt64)]) {
        var bits: UInt64 = 4
        while 1 << bits < 2 * entries.count { bits += 1 }
        shift = 64 - bits
        keys = Array(repeating: Self.free, count: 1 << bits)
        values = Array(repeating: 0, count: 1 << bits)
        for (key, value) in entries {
            let slot = self.slot(of: key)
            keys[slot] = key
            values[slot] = value
        }
    }

    /// The slot that holds the key, or the free one where it would be. Fibonacci hashing: the odd factor is 2^64 /
    /// golden ratio.
    private func slot(of key: UInt64) -> Int {
        var slot = Int((key &* 0x9e37_79b9_7f4a_7c15) >> shift)
        while keys[slot] != key && keys[slot] != Self.free {
            slot = (slot + 1) & (keys.count - 1)
        }
        return slot
    }

    subscript(key: UInt64) -> UInt64? {
        let slot = self.slot(of: key)
        return keys[slot] == key ? values[slot] : nil
    }
}
