import HeapModule

/// Symbols that are merged with one another. Its storage is kept from one segment to the next.
struct BytePairSegment: Sendable {
    /// A segment up to this long is searched from end to end for each merge; a longer one has a heap of candidates.
    private let scannedLength: Int

    private static let noMerge = UInt64.max
    /// Symbols that were merged into their left neighbour carry this id.
    private static let merged: Int32 = -1

    private struct Links {
        var previous: Int32
        /// -1 at the end of the list.
        var next: Int32
    }

    private var ids: [Int32] = []
    /// Of the pair that starts at each symbol: its entry in the merge table, or `noMerge`.
    private var pairs: [UInt64] = []
    private var links: [Links] = []
    private var candidates = Heap<UInt64>()

    init(scannedLength: Int = 32) {
        self.scannedLength = scannedLength
    }

    mutating func append(_ id: Int32) {
        ids.append(id)
    }

    mutating func removeAll() {
        ids.removeAll(keepingCapacity: true)
    }

    /// Merges the symbols, appends what is left of them to `output` and is empty again.
    mutating func merge(by merges: PairTable, into output: inout [Int32]) {
        guard !ids.isEmpty else { return }
        if ids.count == 1 {
            output.append(ids[0])
        } else if ids.count <= scannedLength {
            scan(merges, into: &output)
        } else {
            mergeByHeap(merges, into: &output)
        }
        ids.removeAll(keepingCapacity: true)
    }

    private mutating func scan(_ merges: PairTable, into output: inout [Int32]) {
        pairs.removeAll(keepingCapacity: true)
        for index in 1..<ids.count {
            pairs.append(merges[BytePairModel.pair(ids[index - 1], ids[index])] ?? Self.noMerge)
        }
        let count = ids.withUnsafeMutableBufferPointer { ids in
            pairs.withUnsafeMutableBufferPointer { Self.scan(ids, $0, merges) }
        }
        output += ids[..<count]
    }

    /// Merges in place, and returns how many symbols are left.
    private static func scan(
        _ ids: UnsafeMutableBufferPointer<Int32>, _ pairs: UnsafeMutableBufferPointer<UInt64>, _ merges: PairTable
    ) -> Int {
        var count = pairs.count
        while true {
            // Ranks are the entries' high halves; of equal ones the first is taken.
            var best = noMerge
            var position = 0
            for index in 0..<count where pairs[index] < best {
                best = pairs[index]
                position = index
            }
            guard best != noMerge else { return count + 1 }
            ids[position] = Int32(truncatingIfNeeded: best & 0xffff_ffff)
            count -= 1
            for index in position..<count {
                ids[index + 1] = ids[index + 2]
                pairs[index] = pairs[index + 1]
            }
            if position < count {
                pairs[position] = merges[BytePairModel.pair(ids[position], ids[position + 1])] ?? noMerge
            }
            if position > 0 {
                pairs[position - 1] = merges[BytePairModel.pair(ids[position - 1], ids[position])] ?? noMerge
            }
        }
    }

    private mutating func mergeByHeap(_ merges: PairTable, into output: inout [Int32]) {
        // A candidate is (rank, index of its left symbol), so that the heap's order is the one wanted.
        func propose(_ left: Int, _ right: Int) {
            guard let merge = merges[BytePairModel.pair(ids[left], ids[right])] else { return }
            candidates.insert(merge & 0xffff_ffff_0000_0000 | UInt64(left))
        }
        links.removeAll(keepingCapacity: true)
        for index in ids.indices {
            links.append(Links(previous: Int32(index) - 1, next: Int32(index) + 1))
            if index > 0 { propose(index - 1, index) }
        }
        links[ids.count - 1].next = -1
        while let candidate = candidates.popMin() {
            let index = Int(candidate & 0xffff_ffff)
            let next = Int(links[index].next)
            guard ids[index] != Self.merged, next >= 0 else { continue }
            // A candidate is stale when its symbols have been merged with others since: their pair has another rank
            // now.
            guard let merge = merges[BytePairModel.pair(ids[index], ids[next])], merge >> 32 == candidate >> 32 else {
                continue
            }
            ids[next] = Self.merged
            ids[index] = Int32(truncatingIfNeeded: merge & 0xffff_ffff)
            let following = links[next].next
            links[index].next = following
            if following >= 0 {
                links[Int(following)].previous = Int32(index)
                propose(index, Int(following))
            }
            if links[index].previous >= 0 { propose(Int(links[index].previous), index) }
        }
        for id in ids where id != Self.merged { output.append(id) }
    }
}
