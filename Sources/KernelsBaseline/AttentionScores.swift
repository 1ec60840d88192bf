import CSIMD

/// One vector each of four queries, or of four blocks of keys.
typealias FourVectors = (Vector, Vector, Vector, Vector)

@inline(__always)
var fourZeros: FourVectors {
    (broadcast(0), broadcast(0), broadcast(0), broadcast(0))
}

/// scale q·k of four queries with all keys of the blocks: lanes are keys, one chain over the head's dimensions.
@inline(__always)
func scoresOfTile(_ keys: AttentionKeys, _ queries: AttentionQueries, into scores: UnsafeMutablePointer<Float>) {
    var block = 0
    #if KERNELS_AVX512
        while block + 2 <= keys.blockCount {
            let keys0 = keys.blocks[block] + keys.offset
            let keys1 = keys.blocks[block + 1] + keys.offset
            let next0 = keys.blocks[min(block + 2, keys.blockCount - 1)] + keys.offset
            let next1 = keys.blocks[min(block + 3, keys.blockCount - 1)] + keys.offset
            var sums0 = fourZeros
            var sums1 = fourZeros
            if keys.compact {
                for pair in 0..<queries.headDimension / 2 {
                    let pairs0 = load(keys0 + pair * blockLength)
                    let pairs1 = load(keys1 + pair * blockLength)
                    let values = (queries.headDimension / 2 + pair) * blockLength
                    prefetchPair(keys0 + values, keys1 + values)
                    prefetchPair(next0 + pair * blockLength, next1 + pair * blockLength)
                    addFourQueries(queries, 2 * pair, lowValues(pairs0), to: &sums0)
                    addFourQueries(queries, 2 * pair, lowValues(pairs1), to: &sums1)
                    addFourQueries(queries, 2 * pair + 1, highValues(pairs0), to: &sums0)
                    addFourQueries(queries, 2 * pair + 1, highValues(pairs1), to: &sums1)
                }
            } else {
                for d in 0..<queries.headDimension {
                    let values = (queries.headDimension + d) * blockLength
                    prefetchPair(keys0 + values, keys1 + values)
                    prefetchPair(next0 + d * blockLength, next1 + d * blockLength)
                    addFourQueries(queries, d, load(keys0 + d * blockLength), to: &sums0)
                    addFourQueries(queries, d, load(keys1 + d * blockLength), to: &sums1)
                }
            }
            storeFourQueries(sums0, queries, scores + block * blockLength)
            storeFourQueries(sums1, queries, scores + (block + 1) * blockLength)
            block += 2
        }
    #endif
    while block < keys.blockCount {
        let keys0 = keys.blocks[block] + keys.offset
        var sums = fourZeros
        if keys.compact {
            for pair in 0..<queries.headDimension / 2 {
                let pairs = load(keys0 + pair * blockLength)
                addFourQueries(queries, 2 * pair, lowValues(pairs), to: &sums)
                addFourQueries(queries, 2 * pair + 1, highValues(pairs), to: &sums)
            }
        } else {
            for d in 0..<queries.headDimension {
                addFourQueries(queries, d, load(keys0 + d * blockLength), to: &sums)
            }
        }
        storeFourQueries(sums, queries, scores + block * blockLength)
        block += 1
    }
}

/// Brings a line each of two blocks nearer: the values that stand behind the keys, and the next keys, are wanted next.
@inline(__always)
private func prefetchPair(_ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>) {
    prefetch(first)
    prefetch(second)
}

@inline(__always)
private func addFourQueries(_ queries: AttentionQueries, _ d: Int, _ key: Vector, to sums: inout FourVectors) {
    let query = queries.first + d
    sums.0 = multiplyAdd(broadcast(query[0]), key, sums.0)
    sums.1 = multiplyAdd(broadcast(query[queries.stride]), key, sums.1)
    sums.2 = multiplyAdd(broadcast(query[2 * queries.stride]), key, sums.2)
    sums.3 = multiplyAdd(broadcast(query[3 * queries.stride]), key, sums.3)
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
func scoresOfOne(_ keys: AttentionKeys, _ queries: AttentionQueries, into scores: UnsafeMutablePointer<Float>) {
    var block = 0
    #if KERNELS_AVX512
        while block + 8 <= keys.blockCount {
            var sums0 = fourZeros
            var sums1 = fourZeros
            let blocks = keys.blocks + block
            if keys.compact {
                for pair in 0..<queries.headDimension / 2 {
                    let row = keys.offset + pair * blockLength
                    addPairs(queries.first + 2 * pair, blocks, row, to: &sums0)
                    addPairs(queries.first + 2 * pair, blocks + 4, row, to: &sums1)
                }
            } else {
                for d in 0..<queries.headDimension {
                    let row = keys.offset + d * blockLength
                    addFourBlocks(queries.first[d], blocks, row, to: &sums0)
                    addFourBlocks(queries.first[d], blocks + 4, row, to: &sums1)
                }
            }
            storeFourBlocks(sums0, queries.scale, scores + block * blockLength)
            storeFourBlocks(sums1, queries.scale, scores + (block + 4) * blockLength)
            block += 8
        }
    #endif
    while block + 4 <= keys.blockCount {
        var sums = fourZeros
        let blocks = keys.blocks + block
        if keys.compact {
            for pair in 0..<queries.headDimension / 2 {
                addPairs(queries.first + 2 * pair, blocks, keys.offset + pair * blockLength, to: &sums)
            }
        } else {
            for d in 0..<queries.headDimension {
                addFourBlocks(queries.first[d], blocks, keys.offset + d * blockLength, to: &sums)
            }
        }
        storeFourBlocks(sums, queries.scale, scores + block * blockLength)
        block += 4
    }
    while block < keys.blockCount {
        let keys0 = keys.blocks[block] + keys.offset
        var sum = broadcast(0)
        if keys.compact {
            for pair in 0..<queries.headDimension / 2 {
                let pairs = load(keys0 + pair * blockLength)
                sum = multiplyAdd(broadcast(queries.first[2 * pair]), lowValues(pairs), sum)
                sum = multiplyAdd(broadcast(queries.first[2 * pair + 1]), highValues(pairs), sum)
            }
        } else {
            for d in 0..<queries.headDimension {
                sum = multiplyAdd(broadcast(queries.first[d]), load(keys0 + d * blockLength), sum)
            }
        }
        store(sum * broadcast(queries.scale), scores + block * blockLength)
        block += 1
    }
}

/// One dimension of the keys in four blocks, at `row` from their pages.
@inline(__always)
private func addFourBlocks(
    _ query: Float, _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ row: Int, to sums: inout FourVectors
) {
    let query = broadcast(query)
    sums.0 = multiplyAdd(query, load(blocks[0] + row), sums.0)
    sums.1 = multiplyAdd(query, load(blocks[1] + row), sums.1)
    sums.2 = multiplyAdd(query, load(blocks[2] + row), sums.2)
    sums.3 = multiplyAdd(query, load(blocks[3] + row), sums.3)
}

/// Two dimensions of the keys in four blocks, which hold them as pairs.
@inline(__always)
private func addPairs(
    _ query: UnsafePointer<Float>, _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ row: Int,
    to sums: inout FourVectors
) {
    let low = broadcast(query[0])
    let high = broadcast(query[1])
    let pairs0 = load(blocks[0] + row)
    let pairs1 = load(blocks[1] + row)
    let pairs2 = load(blocks[2] + row)
    let pairs3 = load(blocks[3] + row)
    sums.0 = multiplyAdd(high, highValues(pairs0), multiplyAdd(low, lowValues(pairs0), sums.0))
    sums.1 = multiplyAdd(high, highValues(pairs1), multiplyAdd(low, lowValues(pairs1), sums.1))
    sums.2 = multiplyAdd(high, highValues(pairs2), multiplyAdd(low, lowValues(pairs2), sums.2))
    sums.3 = multiplyAdd(high, highValues(pairs3), multiplyAdd(low, lowValues(pairs3), sums.3))
}

@inline(__always)
private func storeFourBlocks(_ sums: FourVectors, _ scale: Float, _ scores: UnsafeMutablePointer<Float>) {
    store(sums.0 * broadcast(scale), scores)
    store(sums.1 * broadcast(scale), scores + blockLength)
    store(sums.2 * broadcast(scale), scores + 2 * blockLength)
    store(sums.3 * broadcast(scale), scores + 3 * blockLength)
}

#if KERNELS_AVX512
    /// scale q·k of two queries, four blocks of keys at once: see `scoresOfTile`.
    @inline(__always)
    func scoresOfPair(_ keys: AttentionKeys, _ queries: AttentionQueries, into scores: UnsafeMutablePointer<Float>) {
        let second = queries.first + queries.stride
        var block = 0
        while block + 4 <= keys.blockCount {
            var sums0 = fourZeros
            var sums1 = fourZeros
            let blocks = keys.blocks + block
            if keys.compact {
                for pair in 0..<queries.headDimension / 2 {
                    let row = keys.offset + pair * blockLength
                    addPairs(queries.first + 2 * pair, blocks, row, to: &sums0)
                    addPairs(second + 2 * pair, blocks, row, to: &sums1)
                }
            } else {
                for d in 0..<queries.headDimension {
                    let row = keys.offset + d * blockLength
                    addFourBlocks(queries.first[d], blocks, row, to: &sums0)
                    addFourBlocks(second[d], blocks, row, to: &sums1)
                }
            }
            storeFourBlocks(sums0, queries.scale, scores + block * blockLength)
            storeFourBlocks(sums1, queries.scale, scores + queries.scoreStride + block * blockLength)
            block += 4
        }
        guard block < keys.blockCount else { return }
        var rest = keys
        rest.blocks += block
        rest.blockCount -= block
        var one = queries
        scoresOfOne(rest, one, into: scores + block * blockLength)
        one.first = second
        scoresOfOne(rest, one, into: scores + queries.scoreStride + block * blockLength)
    }
#endif
