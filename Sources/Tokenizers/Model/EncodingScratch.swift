/// What an encoding works in, kept from one to the next so that it allocates nothing once warm.
struct EncodingScratch: Sendable {
    var segment = BytePairSegment()
    var cache = WordCache()
}

/// The ids of words met before: a word of up to 15 bytes and 4 ids in a slot that its hash gives, the latest one stays.
struct WordCache: Sendable {
    /// 2^14 slots of 48 bytes: they hold the common words of a language, and stay in a core's own cache.
    private static let bits: UInt64 = 14
    private static let longestWord = 15
    private static let idCount = 4

    private struct Slot {
        /// The word's bytes, then zeros, its length in the last byte; a free slot has length 0.
        var key = SIMD2<UInt64>.zero
        var ids = SIMD4<Int32>.zero
        var count = 0
    }

    private var slots: [Slot] = []

    /// Appends the ids of the word if they are here.
    @inline(__always)
    func append(_ bytes: UnsafeBufferPointer<UInt8>, _ word: Range<Int>, to output: inout [Int32]) -> Bool {
        guard word.count <= Self.longestWord, !slots.isEmpty else { return false }
        let key = Self.key(bytes, word)
        let slot = slots[Self.index(of: key)]
        guard slot.key == key else { return false }
        for index in 0..<slot.count { output.append(slot.ids[index]) }
        return true
    }

    mutating func insert(_ bytes: UnsafeBufferPointer<UInt8>, _ word: Range<Int>, _ ids: ArraySlice<Int32>) {
        guard word.count <= Self.longestWord, ids.count <= Self.idCount else { return }
        if slots.isEmpty { slots = Array(repeating: Slot(), count: 1 << Self.bits) }
        var slot = Slot(key: Self.key(bytes, word), count: ids.count)
        for (index, id) in ids.enumerated() { slot.ids[index] = id }
        slots[Self.index(of: slot.key)] = slot
    }

    private static func index(of key: SIMD2<UInt64>) -> Int {
        let mixed = (key.x ^ (key.y &* 0xff51_afd7_ed55_8ccd)) &* 0x9e37_79b9_7f4a_7c15
        return Int(((mixed ^ mixed >> 29) &* 0xbf58_476d_1ce4_e5b9) >> (64 - bits))
    }

    @inline(__always)
    private static func key(_ bytes: UnsafeBufferPointer<UInt8>, _ word: Range<Int>) -> SIMD2<UInt64> {
        var key = SIMD2<UInt64>(0, UInt64(word.count) << 56)
        let length = word.count
        guard let start = bytes.baseAddress.map({ UnsafeRawPointer($0 + word.lowerBound) }) else { return key }
        if length >= 8 {
            key.x = start.loadUnaligned(as: UInt64.self)
            // The last eight bytes, without those that are in the first half already.
            let last = (start + length - 8).loadUnaligned(as: UInt64.self)
            if length > 8 { key.y |= last >> UInt64(64 - 8 * (length - 8)) }
        } else {
            for index in 0..<length { key.x |= UInt64(bytes[word.lowerBound + index]) << UInt64(8 * index) }
        }
        return key
    }
}
