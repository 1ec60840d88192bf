import CSIMD

/// Causal attention of consecutive queries of one head; see `Kernels.Attention.forward`.
@inline(never)
public func attentionForward(
    query: UnsafePointer<Float>, queryStride: Int, queryCount: Int, firstPosition: Int, headDimension: Int,
    scale: Float,
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
            #if KERNELS_AVX512
                if columns > lanes {
                    if tile == queryTile {
                        wideOutputsOfTile(
                            workspace, stride, reciprocals, firstKeys: position + 1, blocks, values,
                            padded(headDimension), into: results + column, outputStride, columns)
                    } else {
                        wideOutputOfOne(
                            workspace, reciprocals[0], keys: position + 1, blocks, values, padded(headDimension),
                            into: results + column, columns)
                    }
                    column += 2 * lanes
                    continue
                }
            #endif
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
