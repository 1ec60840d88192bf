import HeapModule

/// Byte-pair encoding: of all adjacent pairs that have a merge, the one of lowest rank is merged first, the leftmost among equals
/// (Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", arXiv 1508.07909).
///
/// Symbols form a linked list and candidate merges a heap, so a text of n characters takes O(n log n).
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
    let unknownCharacter: UnknownCharacter

    private struct Symbol {
        var id: Int32
        var previous: Int32
        /// -1 at the end of the list.
        var next: Int32
    }

    /// Symbols that were merged into their left neighbour carry this id.
    private static let merged: Int32 = -1

    static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// Appends the ids of `text`; `offset` is the number of scalars of the whole text before it, for errors.
    func encode(_ text: String, offset: Int, into output: inout [Int32]) throws {
        var symbols = try initialSymbols(text, offset: offset)
        guard !symbols.isEmpty else { return }
        merge(&symbols)
        var index: Int32 = 0
        while index >= 0 {
            output.append(symbols[Int(index)].id)
            index = symbols[Int(index)].next
        }
    }

    private func initialSymbols(_ text: String, offset: Int) throws -> [Symbol] {
        var symbols: [Symbol] = []
        symbols.reserveCapacity(text.utf8.count)
        func append(_ id: Int32) {
            let index = Int32(symbols.count)
            symbols.append(Symbol(id: id, previous: index - 1, next: index + 1))
        }
        var endsInUnknown = false
        var position = offset
        for scalar in text.unicodeScalars {
            if let id = scalars[UInt64(scalar.value)] {
                append(Int32(truncatingIfNeeded: id))
                endsInUnknown = false
            } else {
                switch unknownCharacter {
                case .bytes(let ids):
                    for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                        append(ids[Int(byte)])
                    }
                case .token(let id, let fusesRuns):
                    if !(fusesRuns && endsInUnknown) { append(id) }
                    endsInUnknown = true
                case .refused: throw TokenizerError.unknownCharacter(scalar, offset: position)
                }
            }
            position += 1
        }
        if !symbols.isEmpty { symbols[symbols.count - 1].next = -1 }
        return symbols
    }

    private func merge(_ symbols: inout [Symbol]) {
        // A candidate is (rank, index of its left symbol), so that the heap's order is the one above.
        var candidates: [UInt64] = []
        candidates.reserveCapacity(symbols.count)
        for index in symbols.indices.dropLast() {
            if let merge = merges[Self.pair(symbols[index].id, symbols[index + 1].id)] {
                candidates.append(merge & 0xffff_ffff_0000_0000 | UInt64(index))
            }
        }
        var heap = Heap(candidates)
        while let candidate = heap.popMin() {
            let index = Int(candidate & 0xffff_ffff)
            let left = symbols[index]
            guard left.id != Self.merged, left.next >= 0 else { continue }
            let right = symbols[Int(left.next)]
            // A candidate is stale when its symbols have been merged with others since: their pair has another rank now.
            guard let merge = merges[Self.pair(left.id, right.id)], merge >> 32 == candidate >> 32 else { continue }
            let id = Int32(truncatingIfNeeded: merge & 0xffff_ffff)
            symbols[Int(left.next)].id = Self.merged
            symbols[index].id = id
            symbols[index].next = right.next
            if right.next >= 0 {
                symbols[Int(right.next)].previous = Int32(index)
                if let next = merges[Self.pair(id, symbols[Int(right.next)].id)] {
                    heap.insert(next & 0xffff_ffff_0000_0000 | UInt64(index))
                }
            }
            if left.previous >= 0, let previous = merges[Self.pair(symbols[Int(left.previous)].id, id)] {
                heap.insert(previous & 0xffff_ffff_0000_0000 | UInt64(left.previous))
            }
        }
    }
}
