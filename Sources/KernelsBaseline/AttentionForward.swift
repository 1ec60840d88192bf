import CSIMD

/// The keys and values of one layer and key-value head. `blocks` begins with block `firstBlock` of the sequence, by which weights
/// are found: for every 16 positions a page, and in it, from `offset`, a block that begins with `rows` of keys and goes on, from
/// `valueOffset`, with rows of values, `valueStride` apart. Where `compact`, they are pairs of bfloat16: a row has two dimensions
/// of the keys, or the values of two positions.
typealias AttentionKeys = (
    blocks: UnsafePointer<UnsafeMutablePointer<Float>>, firstBlock: Int, blockCount: Int, offset: Int, rows: Int,
    valueOffset: Int, valueStride: Int, compact: Bool
)

/// What is brought near meanwhile: with the keys of a block its `values`, unless queries before have, by the variants that
/// have registers for it; and with the values of each whole block as many lines of keys that are wanted `next`, from `offset`
/// of `blockCount` pages.
typealias AttentionPrefetch = (
    values: Bool, next: UnsafePointer<UnsafeMutablePointer<Float>>?, blockCount: Int, offset: Int
)

/// Queries that pass over keys together, each the factors of all rows of keys, `stride` apart: the first sees `firstKeys` of
/// them, every other `positionStep` (0 or 1) more than the one before. Their scores, then weights, stand in rows `scoreStride`
/// apart; `reciprocals` scale outputs.
typealias AttentionQueries = (
    first: UnsafePointer<Float>, stride: Int, headDimension: Int, scale: Float, firstKeys: Int, positionStep: Int,
    scoreStride: Int, reciprocals: UnsafePointer<Float>
)

/// Attention of `queryCount` queries; see `Kernels.Attention.forward`.
@inline(never)
public func attentionForward(
    query: UnsafePointer<Float>, queryStride: Int, queryCount: Int, firstPosition: Int, positionStep: Int,
    headDimension: Int, scale: Float, blocks: UnsafePointer<UnsafeMutablePointer<Float>>, blockOffset: Int,
    compact: Bool, output: UnsafeMutablePointer<Float>, outputStride: Int, logSumExp: UnsafeMutablePointer<Float>?,
    logSumExpStride: Int, nextBlocks: UnsafePointer<UnsafeMutablePointer<Float>>?, nextBlockCount: Int,
    nextBlockOffset: Int, workspace: UnsafeMutablePointer<Float>
) {
    let rows = compact ? headDimension / 2 : headDimension
    let valueOffset = blockOffset + rows * blockLength
    var index = 0
    while index < queryCount {
        let tile = nextQueries(&index, of: queryCount)
        let position = firstPosition + index * positionStep
        let blockCount = (position + (tile - 1) * positionStep) / blockLength + 1
        let stride = scoresCount(blockCount * blockLength)
        // The reciprocals of the sums stand behind the scores until the outputs are made, behind them the queries as factors.
        let reciprocals = workspace + tile * stride
        let keys: AttentionKeys = (
            blocks, 0, blockCount, blockOffset, rows, valueOffset, wholeVectors(headDimension), compact
        )
        let isLast = index + tile == queryCount
        let prefetch: AttentionPrefetch = (
            index == 0, isLast ? nextBlocks : nil, nextBlockCount, nextBlockOffset
        )
        var queries: AttentionQueries = (
            query + index * queryStride, queryStride, headDimension, scale, position + 1, positionStep, stride,
            UnsafePointer(reciprocals)
        )
        if compact {
            let factors = reciprocals + lanes
            for member in 0..<tile {
                storeFactors(
                    queries.first + member * queryStride, headDimension, into: factors + member * factorsCount(rows))
            }
            queries.first = UnsafePointer(factors)
            queries.stride = factorsCount(rows)
            scores(of: tile, keys, queries, prefetch, compact: true, into: workspace)
        } else {
            scores(of: tile, keys, queries, prefetch, compact: false, into: workspace)
        }
        for member in 0..<tile {
            let (largest, sum, kept) = powers(
                workspace + member * stride, position + member * positionStep + 1, compact: compact)
            reciprocals[member] = 1 / kept
            if let logSumExp {
                logSumExp[(index + member) * logSumExpStride] = Float(
                    Double(largest) + naturalLogarithm(Double(sum)))
            }
        }
        let result = output + index * outputStride
        if compact {
            outputs(of: tile, keys, queries, prefetch, compact: true, workspace, from: nil, into: result, outputStride)
        } else {
            outputs(of: tile, keys, queries, prefetch, compact: false, workspace, from: nil, into: result, outputStride)
        }
        index += tile
    }
}

/// How many queries to take next, from `index` on. A whole tile that begins earlier costs less than several small ones; the rows
/// that it repeats get the same bits.
@inline(__always)
func nextQueries(_ index: inout Int, of count: Int) -> Int {
    if count >= queryTile {
        index = min(index, count - queryTile)
        return queryTile
    }
    #if KERNELS_AVX512
        if count - index >= 2 { return 2 }
    #endif
    return 1
}

@inline(__always)
func scores(
    of tile: Int, _ keys: AttentionKeys, _ queries: AttentionQueries, _ prefetch: AttentionPrefetch, compact: Bool,
    into workspace: UnsafeMutablePointer<Float>
) {
    var keys = keys
    keys.compact = compact
    switch tile {
    case queryTile: scoresOfTile(keys, queries, prefetch, into: workspace)
    #if KERNELS_AVX512
        case 2: scoresOfPair(keys, queries, prefetch, into: workspace)
    #endif
    default: scoresOfOne(keys, queries, prefetch, into: workspace)
    }
}

@inline(__always)
func outputs(
    of tile: Int, _ keys: AttentionKeys, _ queries: AttentionQueries, _ prefetch: AttentionPrefetch, compact: Bool,
    _ weights: UnsafePointer<Float>, from chains: UnsafePointer<Float>?, into output: UnsafeMutablePointer<Float>,
    _ outputStride: Int
) {
    var keys = keys
    keys.compact = compact
    var column = 0
    while column < queries.headDimension {
        let columns = valueColumns(column, of: queries.headDimension)
        let result = output + column
        switch tile {
        case queryTile:
            outputsOfTile(keys, queries, prefetch, weights, columns, from: chains, into: result, outputStride)
        #if KERNELS_AVX512
            case 2:
                outputsOfPair(keys, queries, prefetch, weights, columns, from: chains, into: result, outputStride)
        #endif
        default: outputsOfOne(keys, queries, prefetch, weights, columns, from: chains, into: result)
        }
        column += tileWidth
    }
}

/// The columns of a tile that begins at `column`.
@inline(__always)
func valueColumns(_ column: Int, of headDimension: Int) -> ValueColumns {
    let left = headDimension - column
    return (column, left > lanes ? column + lanes : column, left)
}

/// Turns the first `keys` scores into powers, and the powers into factors where they are for `compact` values; returns the
/// largest score, the sum of the powers and that of those kept.
@inline(__always)
func powers(
    _ scores: UnsafeMutablePointer<Float>, _ keys: Int, compact: Bool
) -> (largest: Float, exact: Float, kept: Float) {
    let largest = maskedMaximum(scores, keys)
    let (exact, kept) = compact ? pairedPowers(scores, keys, largest) : powers(scores, keys, largest)
    return (largest, exact, kept)
}

/// The largest of the first `keys` scores.
@inline(__always)
private func maskedMaximum(_ scores: UnsafePointer<Float>, _ keys: Int) -> Float {
    var largest = broadcast(-.infinity)
    var key = 0
    while key < keys {
        let values = load(scores + key)
        let left = keys - key
        largest = larger(left >= lanes ? values : firstLanes(values, left, otherwise: -.infinity), largest)
        key += lanes
    }
    return largestLane(largest)
}

/// Turns the first `keys` scores into exp(score - largest), those that fill the last block up into 0; returns their sum: of what
/// they are and, here the same, of what is kept.
@inline(__always)
private func powers(
    _ scores: UnsafeMutablePointer<Float>, _ keys: Int, _ largest: Float
) -> (exact: Float, kept: Float) {
    var sum = broadcast(0)
    var key = 0
    while key < keys {
        let value = power(scores + key, keys - key, largest)
        store(value, scores + key)
        sum += value
        key += lanes
    }
    let total = laneSum(sum)
    return (total, total)
}

/// The same, but leaves the powers, rounded to bfloat16, as factors of compact rows, in the place of the scores or in half of it.
/// Returns the sum of what they were before, and of what is kept: outputs are divided by this, so that weights add up to 1.
@inline(__always)
private func pairedPowers(
    _ scores: UnsafeMutablePointer<Float>, _ keys: Int, _ largest: Float
) -> (exact: Float, kept: Float) {
    var exact = broadcast(0)
    var kept = broadcast(0)
    var key = 0
    while key < keys {
        let first = power(scores + key, keys - key, largest)
        exact += first
        var second = broadcast(0)
        if key + lanes < keys {
            second = power(scores + key + lanes, keys - key - lanes, largest)
            exact += second
        }
        let pairs = pairsOfNeighbours(first, second)
        storeFactors(pairs, scores + (tilesTakePairs ? key / 2 : key))
        kept += lowValues(pairs) + highValues(pairs)
        key += 2 * lanes
    }
    return (laneSum(exact), laneSum(kept))
}

/// exp(score - largest) of the first `left` of 16 scores, and 0.
@inline(__always)
private func power(_ scores: UnsafePointer<Float>, _ left: Int, _ largest: Float) -> Vector {
    let power = exponential(load(scores) - broadcast(largest))
    return left >= lanes ? power : firstLanes(power, left)
}
