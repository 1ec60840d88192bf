import CSIMD

/// Attention of `queryCount` queries, each seeing `positionStep` keys more than the one before; see
/// `Kernels.Attention.forward`.
@inline(never)
public func attentionForward(
    query: UnsafePointer<Float>, queryStride: Int, queryCount: Int, firstPosition: Int, positionStep: Int,
    headDimension: Int, scale: Float, blocks: UnsafePointer<UnsafeMutablePointer<Float>>, blockOffset: Int,
    output: UnsafeMutablePointer<Float>, outputStride: Int, logSumExp: UnsafeMutablePointer<Float>?,
    logSumExpStride: Int, workspace: UnsafeMutablePointer<Float>
) {
    var index = 0
    while index < queryCount {
        let tile = attentionTile(queryCount - index)
        let position = firstPosition + index * positionStep
        let blockCount = (position + (tile - 1) * positionStep) / blockLength + 1
        let stride = blockCount * blockLength
        scores(
            of: tile, query + index * queryStride, queryStride, headDimension, scale, blocks, blockOffset, blockCount,
            into: workspace, stride)
        // The reciprocals of the sums stand behind the scores until the outputs are made.
        let reciprocals = workspace + tile * stride
        for member in 0..<tile {
            let scores = workspace + member * stride
            let keys = position + member * positionStep + 1
            let largest = maskedMaximum(scores, keys)
            let sum = powers(scores, keys, largest)
            reciprocals[member] = 1 / sum
            if let logSumExp {
                logSumExp[(index + member) * logSumExpStride] = Float(
                    Double(largest) + naturalLogarithm(Double(sum)))
            }
        }
        outputs(
            of: tile, workspace, stride, reciprocals, firstKeys: position + 1, positionStep, headDimension, blocks,
            blockOffset + headDimension * blockLength, into: output + index * outputStride, outputStride)
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
    of tile: Int, _ query: UnsafePointer<Float>, _ queryStride: Int, _ headDimension: Int, _ scale: Float,
    _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ blockOffset: Int, _ blockCount: Int,
    into workspace: UnsafeMutablePointer<Float>, _ stride: Int
) {
    switch tile {
    case queryTile:
        scoresOfTile(
            query, queryStride, headDimension, scale, blocks, blockOffset, blockCount, into: workspace, stride)
    #if KERNELS_AVX512
        case 2:
            scoresOfPair(
                query, queryStride, headDimension, scale, blocks, blockOffset, blockCount, into: workspace, stride)
    #endif
    default:
        scoresOfOne(query, headDimension, scale, blocks, blockOffset, blockCount, into: workspace)
    }
}

@inline(__always)
private func outputs(
    of tile: Int, _ weights: UnsafePointer<Float>, _ stride: Int, _ reciprocals: UnsafePointer<Float>, firstKeys: Int,
    _ positionStep: Int, _ headDimension: Int, _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ values: Int,
    into output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
    let valueStride = padded(headDimension)
    var column = 0
    while column < headDimension {
        let columns = headDimension - column
        let result = output + column
        #if KERNELS_AVX512
            if columns > lanes {
                switch tile {
                case queryTile:
                    wideOutputsOfTile(
                        weights, stride, reciprocals, firstKeys: firstKeys, positionStep, blocks, values + column,
                        valueStride, into: result, outputStride, columns)
                case 2:
                    wideOutputsOfPair(
                        weights, stride, reciprocals, firstKeys: firstKeys, positionStep, blocks, values + column,
                        valueStride, into: result, outputStride, columns)
                default:
                    wideOutputOfOne(
                        weights, reciprocals[0], keys: firstKeys, blocks, values + column, valueStride, into: result,
                        columns)
                }
                column += 2 * lanes
                continue
            }
        #endif
        if tile == queryTile {
            outputsOfTile(
                weights, stride, reciprocals, firstKeys: firstKeys, positionStep, blocks, values + column, valueStride,
                into: result, outputStride, columns)
        } else {
            for member in 0..<tile {
                outputOfOne(
                    weights + member * stride, reciprocals[member], keys: firstKeys + member * positionStep, blocks,
                    values + column, valueStride, into: result + member * outputStride, columns)
            }
        }
        column += lanes
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
