/// Byte-pair encoding: of all adjacent pairs that have a merge, the one of lowest rank is merged first, the leftmost
/// among equals (Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", arXiv 1508.07909).
///
/// A text is cut where no merge can ever join what stands on both sides, and each segment is merged by itself, so that
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

    /// From a scalar to its token's id.
    let scalars: PairTable
    /// From (left id, right id) to (rank, id of the merged token); high and low halves.
    let merges: PairTable
    /// Holds (last scalar of the left token, first scalar of the right token) of every merge: where these do not meet,
    /// nothing merges.
    let joints: PairTable
    let unknownCharacter: UnknownCharacter
    /// First and last scalar of the tokens that stand for unknown characters; byte tokens are all `<0x…>`.
    let unknownEdges: (first: UInt32, last: UInt32)

    static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    static func joint(_ left: UInt32, _ right: UInt32) -> UInt64 {
        UInt64(left) << 32 | UInt64(right)
    }

    /// Appends the ids of `text`; `offset` is the number of scalars of the whole text before it, for errors.
    func encode(_ text: String, offset: Int, into output: inout [Int32]) throws {
        var segment = BytePairSegment()
        var endsInUnknown = false
        var lastScalar: UInt32 = 0
        var position = offset
        func append(_ id: Int32, first: UInt32, last: UInt32) {
            if joints[Self.joint(lastScalar, first)] == nil { segment.merge(by: merges, into: &output) }
            segment.append(id)
            lastScalar = last
        }
        for scalar in text.unicodeScalars {
            if let id = scalars[UInt64(scalar.value)] {
                append(Int32(truncatingIfNeeded: id), first: scalar.value, last: scalar.value)
                endsInUnknown = false
            } else {
                switch unknownCharacter {
                case .bytes(let ids):
                    for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                        append(ids[Int(byte)], first: unknownEdges.first, last: unknownEdges.last)
                    }
                case .token(let id, let fusesRuns):
                    if !(fusesRuns && endsInUnknown) { append(id, first: unknownEdges.first, last: unknownEdges.last) }
                    endsInUnknown = true
                case .refused: throw TokenizerError.unknownCharacter(scalar, offset: position)
                }
            }
            position += 1
        }
        segment.merge(by: merges, into: &output)
    }
}
