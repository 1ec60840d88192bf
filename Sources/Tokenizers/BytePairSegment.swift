import HeapModule

/// Symbols that are merged with one another.
struct BytePairSegment {
    /// A segment up to this long is searched from end to end for each merge; a longer one has a heap of candidates.
    private let scannedLength: Int

    private static let noMerge = UInt64.max
    /// Symbols that were merged into their left neighbour carry this id.
    private static let merged: Int32 = -1

    private struct Symbol {
        var id: Int32
        var previous: Int32
        /// -1 at the end of the list.
        var next: Int32
    }

    private var ids: [Int32] = []
    /// Of the pair that starts at each symbol: its entry in the merge table, or `noMerge`.
    private var pairs: [UInt64] = []

    init(scannedLength: Int = 24) {
        self.scannedLength = scannedLength
    }

    mutating func append(_ id: Int32) {
        ids.append(id)
    }

    /// Merges the symbols, appends what is left of them to `output` and is empty again.
    mutating func merge(by merges: PairTable, into output: inout [Int32]) {
        guard !ids.isEmpty else { return }
        if ids.count <= scannedLength { scan(merges) } else { mergeByHeap(merges) }
        output += ids
        ids.removeAll(keepingCapacity: true)
    }

    private func pair(_ index: Int, _ merges: PairTable) -> UInt64 {
        guard ids.indices.contains(index + 1) else { return Self.noMerge }
        return merges[BytePairModel.pair(ids[index], ids[index + 1])] ?? Self.noMerge
    }

    private mutating func scan(_ merges: PairTable) {
        pairs.removeAll(keepingCapacity: true)
        for index in ids.indices { pairs.append(pair(index, merges)) }
        while true {
            // Ranks are the entries' high halves; of equal ones the first is taken.
            var best = Self.noMerge
            var position = 0
            for index in pairs.indices where pairs[index] < best {
                best = pairs[index]
                position = index
            }
            guard best != Self.noMerge else { return }
            ids[position] = Int32(truncatingIfNeeded: best & 0xffff_ffff)
            ids.remove(at: position + 1)
            pairs.remove(at: position + 1)
            pairs[position] = pair(position, merges)
            if position > 0 { pairs[position - 1] = pair(position - 1, merges) }
        }
    }

    private mutating func mergeByHeap(_ merges: PairTable) {
        var symbols: [Symbol] = []
        symbols.reserveCapacity(ids.count)
        // A candidate is (rank, index of its left symbol), so that the heap's order is the one wanted.
        var candidates: [UInt64] = []
        for index in ids.indices {
            let isLast = index == ids.count - 1
            symbols.append(Symbol(id: ids[index], previous: Int32(index) - 1, next: isLast ? -1 : Int32(index) + 1))
            let merge = pair(index, merges)
            if merge != Self.noMerge { candidates.append(merge & 0xffff_ffff_0000_0000 | UInt64(index)) }
        }
        var heap = Heap(candidates)
        while let candidate = heap.popMin() {
            let index = Int(candidate & 0xffff_ffff)
            let left = symbols[index]
            guard left.id != Self.merged, left.next >= 0 else { continue }
            let right = symbols[Int(left.next)]
            // A candidate is stale when its symbols have been merged with others since: their pair has another rank
            // now.
            guard let merge = merges[BytePairModel.pair(left.id, right.id)], merge >> 32 == candidate >> 32 else {
                continue
            }
            let id = Int32(truncatingIfNeeded: merge & 0xffff_ffff)
            symbols[Int(left.next)].id = Self.merged
            symbols[index].id = id
            symbols[index].next = right.next
            if right.next >= 0 {
                symbols[Int(right.next)].previous = Int32(index)
                if let next = merges[BytePairModel.pair(id, symbols[Int(right.next)].id)] {
                    heap.insert(next & 0xffff_ffff_0000_0000 | UInt64(index))
                }
            }
            if left.previous >= 0, let previous = merges[BytePairModel.pair(symbols[Int(left.previous)].id, id)] {
                heap.insert(previous & 0xffff_ffff_0000_0000 | UInt64(left.previous))
            }
        }
        ids = symbols.lazy.map(\.id).filter { $0 != Self.merged }
    }
}
