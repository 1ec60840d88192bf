import CSIMD

/// Causal attention of consecutive queries of one head; see `Kernels.Attention.forward`.
@inline(never)
public func attentionForward(
    query: UnsafePointer<Float>, queryStride: Int, queryCount: Int, firstPosition: Int, headDimension: Int, scale: Float,
    blocks: UnsafePointer<UnsafeMutablePointer<Float>>, blockOffset: Int, output: UnsafeMutablePointer<Float>,
    outputStride: Int, logSumExp: UnsafeMutablePointer<Float>?, workspace: UnsafeMutablePointer<Float>
) {
    var index = 0
    while index < queryCount {
        let tile = queryCount - index >= queryTile ? queryTile : 1
        let position = firstPosition + index
        let blockCount = (position + tile - 1) / blockLength + 1
        let stride = blockCount * blockLength
        let queries = query + index * queryStride
        if tile == queryTile {
            scoresOfTile(
                queries, queryStride, headDimension, scale, blocks, blockOffset, blockCount, into: workspace, stride)
        } else {
            scoresOfOne(queries, headDimension, scale, blocks, blockOffset, blockCount, into: workspace)
        }
        // The reciprocals of the sums stand behind the scores until the outputs are made.
        let reciprocals = workspace + tile * stride
        for member in 0..<tile {
            let scores = workspace + member * stride
            let keys = position + member + 1
            let largest = maskedMaximum(scores, keys)
            let sum = powers(scores, keys, largest)
            reciprocals[member] = 1 / sum
            if let logSumExp {
                logSumExp[index + member] = Float(Double(largest) + naturalLogarithm(Double(sum)))
            }
        }
        let results = output + index * outputStride
        var column = 0
        while column < headDimension {
            let values = blockOffset + headDimension * blockLength + column
            let columns = headDimension - column
            if tile == queryTile {
                outputsOfTile(
                    workspace, stride, reciprocals, firstKeys: position + 1, blocks, values, padded(headDimension),
                    into: results + column, outputStride, columns)
            } else {
                outputOfOne(
                    workspace, reciprocals[0], keys: position + 1, blocks, values, padded(headDimension),
                    into: results + column, columns)
            }
            column += lanes
        }
        index += tile
    }
}

/// scale q·k of four queries with all keys of the blocks: lanes are keys, one chain over the head's dimensions.
@inline(__always)
private func scoresOfTile(
    _ query: UnsafePointer<Float>, _ queryStride: Int, _ headDimension: Int, _ scale: Float,
    _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ blockOffset: Int, _ blockCount: Int,
    into scores: UnsafeMutablePointer<Float>, _ stride: Int
) {
    for block in 0..<blockCount {
        let keys = blocks[block] + blockOffset
        var sum0 = broadcast(0)
        var sum1 = broadcast(0)
        var sum2 = broadcast(0)
        var sum3 = broadcast(0)
        for d in 0..<headDimension {
            let key = load(keys + d * blockLength)
            sum0 = multiplyAdd(broadcast(query[d]), key, sum0)
            sum1 = multiplyAdd(broadcast(query[queryStride + d]), key, sum1)
            sum2 = multiplyAdd(broadcast(query[2 * queryStride + d]), key, sum2)
            sum3 = multiplyAdd(broadcast(query[3 * queryStride + d]), key, sum3)
        }
        let result = scores + block * blockLength
        store(sum0 * broadcast(scale), result)
        store(sum1 * broadcast(scale), result + stride)
        store(sum2 * broadcast(scale), result + 2 * stride)
        store(sum3 * broadcast(scale), result + 3 * stride)
    }
}

/// scale q·k of one query, four blocks of keys at once.
@inline(__always)
private func scoresOfOne(
    _ query: UnsafePointer<Float>, _ headDimension: Int, _ scale: Float,
    _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ blockOffset: Int, _ blockCount: Int,
    into scores: UnsafeMutablePointer<Float>
) {
    var block = 0
    while block + 4 <= blockCount {
        let keys0 = blocks[block] + blockOffset
        let keys1 = blocks[block + 1] + blockOffset
        let keys2 = blocks[block + 2] + blockOffset
        let keys3 = blocks[block + 3] + blockOffset
        var sum0 = broadcast(0)
        var sum1 = broadcast(0)
        var sum2 = broadcast(0)
        var sum3 = broadcast(0)
        for d in 0..<headDimension {
            let factor = broadcast(query[d])
            sum0 = multiplyAdd(factor, load(keys0 + d * blockLength), sum0)
            sum1 = multiplyAdd(factor, load(keys1 + d * blockLength), sum1)
            sum2 = multiplyAdd(factor, load(keys2 + d * blockLength), sum2)
            sum3 = multiplyAdd(factor, load(keys3 + d * blockLength), sum3)
        }
        let result = scores + block * blockLength
        store(sum0 * broadcast(scale), result)
        store(sum1 * broadcast(scale), result + blockLength)
        store(sum2 * broadcast(scale), result + 2 * blockLength)
        store(sum3 * broadcast(scale), result + 3 * blockLength)
        block += 4
    }
    while block < blockCount {
        let keys = blocks[block] + blockOffset
        var sum = broadcast(0)
        for d in 0..<headDimension {
            sum = multiplyAdd(broadcast(query[d]), load(keys + d * blockLength), sum)
        }
        store(sum * broadcast(scale), scores + block * blockLength)
        block += 1
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
    return laneMaximum(largest)
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

/// One vector of output columns of four consecutive queries, of which the first sees `firstKeys` keys.
///
/// Every element is four chains over the keys whose position is c modulo 4, ascending, added in the order of c.
@inline(__always)
private func outputsOfTile(
    _ weights: UnsafePointer<Float>, _ stride: Int, _ reciprocals: UnsafePointer<Float>, firstKeys: Int,
    _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ values: Int, _ valueStride: Int,
    into output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ columns: Int
) {
    var total0 = broadcast(0)
    var total1 = broadcast(0)
    var total2 = broadcast(0)
    var total3 = broadcast(0)
    for chain in 0..<4 {
        var sum0 = broadcast(0)
        var sum1 = broadcast(0)
        var sum2 = broadcast(0)
        var sum3 = broadcast(0)
        var key = chain
        while key < firstKeys {
            let value = load(blocks[key / blockLength] + (values + key % blockLength * valueStride))
            sum0 = multiplyAdd(broadcast(weights[key]), value, sum0)
            sum1 = multiplyAdd(broadcast(weights[stride + key]), value, sum1)
            sum2 = multiplyAdd(broadcast(weights[2 * stride + key]), value, sum2)
            sum3 = multiplyAdd(broadcast(weights[3 * stride + key]), value, sum3)
            key += 4
        }
        // At most one key of the chain is seen by later queries of the tile and not by the first.
        if key < firstKeys + 3 {
            let value = load(blocks[key / blockLength] + (values + key % blockLength * valueStride))
            if key < firstKeys + 1 { sum1 = multiplyAdd(broadcast(weights[stride + key]), value, sum1) }
            if key < firstKeys + 2 { sum2 = multiplyAdd(broadcast(weights[2 * stride + key]), value, sum2) }
            sum3 = multiplyAdd(broadcast(weights[3 * stride + key]), value, sum3)
        }
        total0 += sum0
        total1 += sum1
        total2 += sum2
        total3 += sum3
    }
    storeSome(total0 * broadcast(reciprocals[0]), output, columns)
    storeSome(total1 * broadcast(reciprocals[1]), output + outputStride, columns)
    storeSome(total2 * broadcast(reciprocals[2]), output + 2 * outputStride, columns)
    storeSome(total3 * broadcast(reciprocals[3]), output + 3 * outputStride, columns)
}

/// One vector of output columns of one query: the chains of `outputsOfTile`, all four at once.
@inline(__always)
private func outputOfOne(
    _ weights: UnsafePointer<Float>, _ reciprocal: Float, keys: Int,
    _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ values: Int, _ valueStride: Int,
    into output: UnsafeMutablePointer<Float>, _ columns: Int
) {
    var sum0 = broadcast(0)
    var sum1 = broadcast(0)
    var sum2 = broadcast(0)
    var sum3 = broadcast(0)
    var key = 0
    while key + 4 <= keys {
        let value = blocks[key / blockLength] + (values + key % blockLength * valueStride)
        sum0 = multiplyAdd(broadcast(weights[key]), load(value), sum0)
        sum1 = multiplyAdd(broadcast(weights[key + 1]), load(value + valueStride), sum1)
        sum2 = multiplyAdd(broadcast(weights[key + 2]), load(value + 2 * valueStride), sum2)
        sum3 = multiplyAdd(broadcast(weights[key + 3]), load(value + 3 * valueStride), sum3)
        key += 4
    }
    if key < keys {
        let value = blocks[key / blockLength] + (values + key % blockLength * valueStride)
        sum0 = multiplyAdd(broadcast(weights[key]), load(value), sum0)
        if key + 1 < keys { sum1 = multiplyAdd(broadcast(weights[key + 1]), load(value + valueStride), sum1) }
        if key + 2 < keys { sum2 = multiplyAdd(broadcast(weights[key + 2]), load(value + 2 * valueStride), sum2) }
    }
    // From zero, as the tile's total: it makes a chain that ended in -0 a +0.
    let total = (((broadcast(0) + sum0) + sum1) + sum2) + sum3
    storeSome(total * broadcast(reciprocal), output, columns)
}
