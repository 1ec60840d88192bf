/// Byte-pair encoding: of all adjacent pairs that have a merge, the one of lowest rank is merged first, the leftmost
/// among equals (Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", arXiv 1508.07909).
///
/// A word is cut where no merge can ever join what stands on both sides, and each segment is merged by itself, so that
/// a long text costs what its words cost. A segment of n symbols takes O(n log n).
struct BytePairModel: Sendable {
    /// What becomes of a character that is no token.
    enum UnknownCharacter: Sendable {
        /// Its UTF-8, a token a byte; the 256 ids.
        case bytes([Int32])
        /// One unknown token, or one for a whole run of them.
        case token(Int32, fusesRuns: Bool)
        case refused
    }

    /// What the symbols are that merging starts from.
    enum Alphabet: Sendable {
        /// From a scalar to its token's id.
        case scalars(PairTable)
        /// The ids of the 256 bytes, `noToken` where the vocabulary lacks one.
        case bytes([Int32])
    }

    static let noToken: Int32 = -1

    let alphabet: Alphabet
    /// From (left id, right id) to (rank, id of the merged token); high and low halves.
    let merges: PairTable
    /// Holds (last scalar of the left token, first scalar of the right token) of every merge: where these do not meet,
    /// nothing merges.
    let joints: PairTable
    let unknownCharacter: UnknownCharacter
    /// First and last scalar of the tokens that stand for unknown characters; byte tokens are all `<0x…>`.
    let unknownEdges: (first: UInt32, last: UInt32)
    /// The tokens that a word becomes if it is one of them, whatever the merges say (`ignore_merges`).
    let wholeWords: [WordKey: Int32]?

    static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    static func joint(_ left: UInt32, _ right: UInt32) -> UInt64 {
        UInt64(left) << 32 | UInt64(right)
    }

    /// Appends the ids of a word, UTF-8.
    ///
    /// Throws `TokenizerError.unknownCharacter` with the offset in scalars from the start of `bytes`.
    func encode(
        _ bytes: UnsafeBufferPointer<UInt8>, _ word: Range<Int>, _ scratch: inout EncodingScratch,
        into output: inout [Int32]
    ) throws(TokenizerError) {
        if let wholeWords, let id = wholeWords[WordKey(bytes: Array(bytes[word]))] {
            output.append(id)
            return
        }
        switch alphabet {
        case .bytes(let ids):
            if scratch.cache.append(bytes, word, to: &output) { return }
            let start = output.count
            try appendBytes(bytes, word, ids, to: &scratch.segment)
            scratch.segment.merge(by: merges, into: &output)
            scratch.cache.insert(bytes, word, output[start...])
        case .scalars(let ids): try encode(bytes, word, ids, &scratch.segment, into: &output)
        }
    }

    private func appendBytes(
        _ bytes: UnsafeBufferPointer<UInt8>, _ word: Range<Int>, _ ids: [Int32], to segment: inout BytePairSegment
    ) throws(TokenizerError) {
        var endsInUnknown = false
        for index in word {
            let id = ids[Int(bytes[index])]
            if id != Self.noToken {
                segment.append(id)
                endsInUnknown = false
            } else if case .token(let id, let fusesRuns) = unknownCharacter {
                if !(fusesRuns && endsInUnknown) { segment.append(id) }
                endsInUnknown = true
            } else {
                throw refuse(bytes, index, &segment)
            }
        }
    }

    private func refuse(
        _ bytes: UnsafeBufferPointer<UInt8>, _ index: Int, _ segment: inout BytePairSegment
    ) -> TokenizerError {
        segment.removeAll()
        var start = index
        while start > 0, bytes[start] & 0xc0 == 0x80 { start -= 1 }
        let before = String(decoding: bytes[..<start], as: UTF8.self).unicodeScalars.count
        let scalar = UTF8Scalar(bytes, at: start).value
        return .unknownCharacter(Unicode.Scalar(scalar) ?? "\u{fffd}", offset: before)
    }

    private func encode(
        _ bytes: UnsafeBufferPointer<UInt8>, _ word: Range<Int>, _ scalars: PairTable, _ segment: inout BytePairSegment,
        into output: inout [Int32]
    ) throws(TokenizerError) {
        var endsInUnknown = false
        var lastScalar: UInt32 = 0
        var index = word.lowerBound
        func append(_ id: Int32, first: UInt32, last: UInt32) {
            if joints[Self.joint(lastScalar, first)] == nil { segment.merge(by: merges, into: &output) }
            segment.append(id)
            lastScalar = last
        }
        while index < word.upperBound {
            let scalar = UTF8Scalar(bytes, at: index)
            if let id = scalars[UInt64(scalar.value)] {
                append(Int32(truncatingIfNeeded: id), first: scalar.value, last: scalar.value)
                endsInUnknown = false
            } else {
                switch unknownCharacter {
                case .bytes(let ids):
                    for byte in bytes[index..<index + scalar.length] {
                        append(ids[Int(byte)], first: unknownEdges.first, last: unknownEdges.last)
                    }
                case .token(let id, let fusesRuns):
                    if !(fusesRuns && endsInUnknown) { append(id, first: unknownEdges.first, last: unknownEdges.last) }
                    endsInUnknown = true
                case .refused: throw refuse(bytes, index, &segment)
                }
            }
            index += scalar.length
        }
        segment.merge(by: merges, into: &output)
    }
}

/// A word's bytes, as they stand in a byte-level text or in a vocabulary of characters.
struct WordKey: Hashable, Sendable {
    let bytes: [UInt8]

    func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}
