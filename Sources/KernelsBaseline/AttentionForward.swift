import CSIMD

/// The keys and values of one layer and key-value head: for every 16 positions a page, and in it, from `offset`, a block
/// that begins with keys and goes on, from `valueOffset`, with rows of values, `valueStride` apart. Where `compact`,
/// they are pairs of bfloat16: two dimensions of a key, and of values those of two positions.
typealias AttentionKeys = (
    blocks: UnsafePointer<UnsafeMutablePointer<Float>>, blockCount: Int, offset: Int, valueOffset: Int,
    valueStride: Int, compact: Bool
)

/// Queries that pass over keys together: the first sees `firstKeys` of them, every other `positionStep` (0 or 1) more
/// than the one before. Their scores, then weights, stand in rows `scoreStride` apart; `reciprocals` scale outputs.
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
    logSumExpStride: Int, workspace: UnsafeMutablePointer<Float>
) {
    let valueOffset = blockOffset + (compact ? headDimension / 2 : headDimension) * blockLength
    var index = 0
    while index < queryCount {
        var tile = attentionTile(queryCount - index)
        if tile < queryTile && queryCount >= queryTile {
            // A whole tile that begins earlier costs less than several small ones; the rows that it repeats get the same bits.
            index = queryCount - queryTile
            tile = queryTile
        }
        let position = firstPosition + index * positionStep
        let blockCount = (position + (tile - 1) * positionStep) / blockLength + 1
        let stride = blockCount * blockLength
        // The reciprocals of the sums stand behind the scores until the outputs are made.
        let reciprocals = workspace + tile * stride
        let keys: AttentionKeys = (blocks, blockCount, blockOffset, valueOffset, padded(headDimension), compact)
        let queries: AttentionQueries = (
            query + index * queryStride, queryStride, headDimension, scale, position + 1, positionStep, stride,
            UnsafePointer(reciprocals)
        )
        if compact {
            scores(of: tile, keys, queries, compact: true, into: workspace)
        } else {
            scores(of: tile, keys, queries, compact: false, into: workspace)
        }
        for member in 0..<tile {
            let scores = workspace + member * stride
            let count = position + member * positionStep + 1
            let largest = maskedMaximum(scores, count)
            let sum = powers(scores, count, largest)
            reciprocals[member] = 1 / sum
            if let logSumExp {
                logSumExp[(index + member) * logSumExpStride] = Float(
                    Double(largest) + naturalLogarithm(Double(sum)))
            }
        }
        let result = output + index * outputStride
        if compact {
            outputs(of: tile, keys, queries, compact: true, workspace, into: result, outputStride)
        } else {
            outputs(of: tile, keys, queries, compact: false, workspace, into: result, outputStride)
        }
        index += tile
    }
}

/// Queries to take next where `left` are.
@inline(__always)
private func attentionTile(_ left: Int) -> Int {
    if left >= queryTile { return queryTile }
    #if KERNELS_AVX512
        if left >= 2 { return 2 }
    #endif
    return 1
}

@inline(__always)
private func scores(
    of tile: Int, _ keys: AttentionKeys, _ queries: AttentionQueries, compact: Bool,
    into workspace: UnsafeMutablePointer<Float>
) {
    var keys = keys
    keys.compact = compact
    switch tile {
    case queryTile: scoresOfTile(keys, queries, into: workspace)
    #if KERNELS_AVX512
        case 2: scoresOfPair(keys, queries, into: workspace)
    #endif
    default: scoresOfOne(keys, queries, into: workspace)
    }
}

@inline(__always)
private func outputs(
    of tile: Int, _ keys: AttentionKeys, _ queries: AttentionQueries, compact: Bool, _ weights: UnsafePointer<Float>,
    into output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
    var keys = keys
    keys.compact = compact
    var column = 0
    while column < queries.headDimension {
        let left = queries.headDimension - column
        let columns: ValueColumns = (column, left > lanes ? column + lanes : column, left)
        let result = output + column
        switch tile {
        case queryTile: outputsOfTile(keys, queries, weights, columns, into: result, outputStride)
        #if KERNELS_AVX512
            case 2: outputsOfPair(keys, queries, weights, columns, into: result, outputStride)
        #endif
        default:
            outputsOfOne(
                keys, queries, weights, count: queries.firstKeys, columns, into: result,
                reciprocal: queries.reciprocals[0])
        }
        column += tileWidth
    }
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

/// Turns the first `keys` scores into exp(score - largest), those that fill the last block up into 0; returns the sum.
@inline(__always)
private func powers(_ scores: UnsafeMutablePointer<Float>, _ keys: Int, _ largest: Float) -> Float {
    var sum = broadcast(0)
    var key = 0
    while key < keys {
        let left = keys - key
        let power = exponential(load(scores + key) - broadcast(largest))
        let kept = left >= lanes ? power : firstLanes(power, left)
        store(kept, scores + key)
        sum += kept
        key += lanes
    }
    return laneSum(sum)
}
