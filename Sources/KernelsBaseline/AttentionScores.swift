import CSIMD

/// One vector each of four queries, or of four blocks of keys.
typealias FourVectors = (Vector, Vector, Vector, Vector)

@inline(__always)
var fourZeros: FourVectors {
    (broadcast(0), broadcast(0), broadcast(0), broadcast(0))
}

// A score is one chain over the rows of keys of its block; lanes are keys.

/// scale q·k of four queries with all keys of the blocks.
@inline(__always)
func scoresOfTile(
    _ keys: AttentionKeys, _ queries: AttentionQueries, _ prefetch: AttentionPrefetch,
    into scores: UnsafeMutablePointer<Float>
) {
    var block = 0
    #if KERNELS_AVX512
        while block + 1 < keys.blockCount {
            scoresOfTile(keys, fourBlocks(keys, from: block), queries, prefetch, into: scores)
            block += 4
        }
    #endif
    while block < keys.blockCount {
        let keys0 = keys.blocks[block] + keys.offset
        var sums = fourZeros
        for row in 0..<keys.rows {
            addFourQueries(queries, row, load(keys0 + row * blockLength), to: &sums, pairs: keys.compact)
        }
        storeFourQueries(sums, queries, scores + block * blockLength)
        block += 1
    }
}

@inline(__always)
private func addFourQueries(
    _ queries: AttentionQueries, _ row: Int, _ key: Vector, to sums: inout FourVectors, pairs: Bool
) {
    let query = queries.first + factorOffset(row, compact: pairs)
    sums.0 = addFactorProduct(query, key, sums.0, pairs: pairs)
    sums.1 = addFactorProduct(query + queries.stride, key, sums.1, pairs: pairs)
    sums.2 = addFactorProduct(query + 2 * queries.stride, key, sums.2, pairs: pairs)
    sums.3 = addFactorProduct(query + 3 * queries.stride, key, sums.3, pairs: pairs)
}

@inline(__always)
private func storeFourQueries(
    _ sums: FourVectors, _ queries: AttentionQueries, _ scores: UnsafeMutablePointer<Float>
) {
    let scale = broadcast(queries.scale)
    store(sums.0 * scale, scores)
    store(sums.1 * scale, scores + queries.scoreStride)
    store(sums.2 * scale, scores + 2 * queries.scoreStride)
    store(sums.3 * scale, scores + 3 * queries.scoreStride)
}

/// scale q·k of one query, several blocks of keys at once.
@inline(__always)
func scoresOfOne(
    _ keys: AttentionKeys, _ queries: AttentionQueries, _ prefetch: AttentionPrefetch,
    into scores: UnsafeMutablePointer<Float>
) {
    var block = 0
    while block < keys.blockCount {
        let four = fourBlocks(keys, from: block)
        let values = keys.valueOffset - keys.offset
        var sums = fourZeros
        for row in 0..<keys.rows {
            if prefetch.values { prefetchRow(four, values + row * blockLength) }
            addFourBlocks(queries.first, four, row, to: &sums, pairs: keys.compact)
        }
        storeFourBlocks(sums, four, queries.scale, scores)
        block += 4
    }
}

/// Blocks that are passed over together, by their index and where their keys begin.
private typealias FourBlocks = (
    indices: (Int, Int, Int, Int),
    keys: (
        UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>,
        UnsafeMutablePointer<Float>
    )
)

/// Four blocks from `block` on; at the end the last four, and where there are fewer, the last one again: what comes twice gets
/// the same bits.
@inline(__always)
private func fourBlocks(_ keys: AttentionKeys, from block: Int) -> FourBlocks {
    let last = keys.blockCount - 1
    let first = max(0, min(block, last - 3))
    let indices = (first, min(first + 1, last), min(first + 2, last), min(first + 3, last))
    return (
        indices,
        (
            keys.blocks[indices.0] + keys.offset, keys.blocks[indices.1] + keys.offset,
            keys.blocks[indices.2] + keys.offset, keys.blocks[indices.3] + keys.offset
        )
    )
}

/// Brings a line of each of four blocks near.
@inline(__always)
private func prefetchRow(_ blocks: FourBlocks, _ offset: Int) {
    prefetchNearest(blocks.keys.0 + offset)
    prefetchNearest(blocks.keys.1 + offset)
    prefetchNearest(blocks.keys.2 + offset)
    prefetchNearest(blocks.keys.3 + offset)
}

/// One row of keys of four blocks.
@inline(__always)
private func addFourBlocks(
    _ query: UnsafePointer<Float>, _ blocks: FourBlocks, _ row: Int, to sums: inout FourVectors, pairs: Bool
) {
    let query = query + factorOffset(row, compact: pairs)
    let offset = row * blockLength
    sums.0 = addFactorProduct(query, load(blocks.keys.0 + offset), sums.0, pairs: pairs)
    sums.1 = addFactorProduct(query, load(blocks.keys.1 + offset), sums.1, pairs: pairs)
    sums.2 = addFactorProduct(query, load(blocks.keys.2 + offset), sums.2, pairs: pairs)
    sums.3 = addFactorProduct(query, load(blocks.keys.3 + offset), sums.3, pairs: pairs)
}

@inline(__always)
private func storeFourBlocks(
    _ sums: FourVectors, _ blocks: FourBlocks, _ scale: Float, _ scores: UnsafeMutablePointer<Float>
) {
    let scale = broadcast(scale)
    store(sums.0 * scale, scores + blocks.indices.0 * blockLength)
    store(sums.1 * scale, scores + blocks.indices.1 * blockLength)
    store(sums.2 * scale, scores + blocks.indices.2 * blockLength)
    store(sums.3 * scale, scores + blocks.indices.3 * blockLength)
}

#if KERNELS_AVX512
    /// scale q·k of four queries with four blocks of keys.
    @inline(__always)
    private func scoresOfTile(
        _ keys: AttentionKeys, _ blocks: FourBlocks, _ queries: AttentionQueries, _ prefetch: AttentionPrefetch,
        into scores: UnsafeMutablePointer<Float>
    ) {
        let next = fourBlocks(keys, from: blocks.indices.3 + 1)
        let isFollowed = blocks.indices.3 + 1 < keys.blockCount
        let values = keys.valueOffset - keys.offset
        var sums0 = fourZeros
        var sums1 = fourZeros
        var sums2 = fourZeros
        var sums3 = fourZeros
        for row in 0..<keys.rows {
            let offset = row * blockLength
            if prefetch.values {
                prefetchRow(blocks, values + offset)
                if isFollowed { prefetchRow(next, offset) }
            }
            addFourQueries(queries, row, load(blocks.keys.0 + offset), to: &sums0, pairs: keys.compact)
            addFourQueries(queries, row, load(blocks.keys.1 + offset), to: &sums1, pairs: keys.compact)
            addFourQueries(queries, row, load(blocks.keys.2 + offset), to: &sums2, pairs: keys.compact)
            addFourQueries(queries, row, load(blocks.keys.3 + offset), to: &sums3, pairs: keys.compact)
        }
        storeFourQueries(sums0, queries, scores + blocks.indices.0 * blockLength)
        storeFourQueries(sums1, queries, scores + blocks.indices.1 * blockLength)
        storeFourQueries(sums2, queries, scores + blocks.indices.2 * blockLength)
        storeFourQueries(sums3, queries, scores + blocks.indices.3 * blockLength)
    }

    /// scale q·k of two queries, four blocks of keys at once.
    @inline(__always)
    func scoresOfPair(
        _ keys: AttentionKeys, _ queries: AttentionQueries, _ prefetch: AttentionPrefetch,
        into scores: UnsafeMutablePointer<Float>
    ) {
        let second = queries.first + queries.stride
        var block = 0
        while block < keys.blockCount {
            let four = fourBlocks(keys, from: block)
            let values = keys.valueOffset - keys.offset
            var sums0 = fourZeros
            var sums1 = fourZeros
            for row in 0..<keys.rows {
                if prefetch.values { prefetchRow(four, values + row * blockLength) }
                addFourBlocks(queries.first, four, row, to: &sums0, pairs: keys.compact)
                addFourBlocks(second, four, row, to: &sums1, pairs: keys.compact)
            }
            storeFourBlocks(sums0, four, queries.scale, scores)
            storeFourBlocks(sums1, four, queries.scale, scores + queries.scoreStride)
            block += 4
        }
    }
#endif
