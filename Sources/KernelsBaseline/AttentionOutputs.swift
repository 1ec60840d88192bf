/// One vector of output columns of four queries, of which the first sees `firstKeys` keys and every other `step` (0 or 1)
/// more than the one before.
///
/// Every element is four chains over the keys whose position is c modulo 4, ascending, added in the order of c.
@inline(__always)
func outputsOfTile(
    _ weights: UnsafePointer<Float>, _ stride: Int, _ reciprocals: UnsafePointer<Float>, firstKeys: Int,
    _ step: Int, _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ values: Int, _ valueStride: Int,
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
            let source = blocks[key / blockLength] + (values + key % blockLength * valueStride)
            let value = load(source)
            let weight0 = broadcast(weights[key])
            sum0 = multiplyAdd(weight0, value, sum0)
            let weight1 = broadcast(weights[stride + key])
            sum1 = multiplyAdd(weight1, value, sum1)
            let weight2 = broadcast(weights[2 * stride + key])
            sum2 = multiplyAdd(weight2, value, sum2)
            let weight3 = broadcast(weights[3 * stride + key])
            sum3 = multiplyAdd(weight3, value, sum3)
            key += 4
        }
        // At most one key of the chain is seen by later queries of the tile and not by the first.
        if key < firstKeys + 3 * step {
            let source = blocks[key / blockLength] + (values + key % blockLength * valueStride)
            let value = load(source)
            if key < firstKeys + 1 {
                let weight1 = broadcast(weights[stride + key])
                sum1 = multiplyAdd(weight1, value, sum1)
            }
            if key < firstKeys + 2 {
                let weight2 = broadcast(weights[2 * stride + key])
                sum2 = multiplyAdd(weight2, value, sum2)
            }
            let weight3 = broadcast(weights[3 * stride + key])
            sum3 = multiplyAdd(weight3, value, sum3)
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
func outputOfOne(
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
        let weight0 = broadcast(weights[key])
        sum0 = multiplyAdd(weight0, load(value), sum0)
        let weight1 = broadcast(weights[key + 1])
        sum1 = multiplyAdd(weight1, load(value + valueStride), sum1)
        let weight2 = broadcast(weights[key + 2])
        sum2 = multiplyAdd(weight2, load(value + 2 * valueStride), sum2)
        let weight3 = broadcast(weights[key + 3])
        sum3 = multiplyAdd(weight3, load(value + 3 * valueStride), sum3)
        key += 4
    }
    if key < keys {
        let value = blocks[key / blockLength] + (values + key % blockLength * valueStride)
        let weight0 = broadcast(weights[key])
        sum0 = multiplyAdd(weight0, load(value), sum0)
        if key + 1 < keys {
            let weight1 = broadcast(weights[key + 1])
            sum1 = multiplyAdd(weight1, load(value + valueStride), sum1)
        }
        if key + 2 < keys {
            let weight2 = broadcast(weights[key + 2])
            sum2 = multiplyAdd(weight2, load(value + 2 * valueStride), sum2)
        }
    }
    // From zero, as the tile's total: it makes a chain that ended in -0 a +0.
    let total = (((broadcast(0) + sum0) + sum1) + sum2) + sum3
    storeSome(total * broadcast(reciprocal), output, columns)
}

/// Two vectors of output columns of four queries: see `outputsOfTile`.
@inline(__always)
func wideOutputsOfTile(
    _ weights: UnsafePointer<Float>, _ stride: Int, _ reciprocals: UnsafePointer<Float>, firstKeys: Int,
    _ step: Int, _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ values: Int, _ valueStride: Int,
    into output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ columns: Int
) {
    var total00 = broadcast(0)
    var total01 = broadcast(0)
    var total10 = broadcast(0)
    var total11 = broadcast(0)
    var total20 = broadcast(0)
    var total21 = broadcast(0)
    var total30 = broadcast(0)
    var total31 = broadcast(0)
    for chain in 0..<4 {
        var sum00 = broadcast(0)
        var sum01 = broadcast(0)
        var sum10 = broadcast(0)
        var sum11 = broadcast(0)
        var sum20 = broadcast(0)
        var sum21 = broadcast(0)
        var sum30 = broadcast(0)
        var sum31 = broadcast(0)
        var key = chain
        while key < firstKeys {
            let source = blocks[key / blockLength] + (values + key % blockLength * valueStride)
            let value0 = load(source)
            let value1 = load(source + lanes)
            let weight0 = broadcast(weights[key])
            sum00 = multiplyAdd(weight0, value0, sum00)
            sum01 = multiplyAdd(weight0, value1, sum01)
            let weight1 = broadcast(weights[stride + key])
            sum10 = multiplyAdd(weight1, value0, sum10)
            sum11 = multiplyAdd(weight1, value1, sum11)
            let weight2 = broadcast(weights[2 * stride + key])
            sum20 = multiplyAdd(weight2, value0, sum20)
            sum21 = multiplyAdd(weight2, value1, sum21)
            let weight3 = broadcast(weights[3 * stride + key])
            sum30 = multiplyAdd(weight3, value0, sum30)
            sum31 = multiplyAdd(weight3, value1, sum31)
            key += 4
        }
        // At most one key of the chain is seen by later queries of the tile and not by the first.
        if key < firstKeys + 3 * step {
            let source = blocks[key / blockLength] + (values + key % blockLength * valueStride)
            let value0 = load(source)
            let value1 = load(source + lanes)
            if key < firstKeys + 1 {
                let weight1 = broadcast(weights[stride + key])
                sum10 = multiplyAdd(weight1, value0, sum10)
                sum11 = multiplyAdd(weight1, value1, sum11)
            }
            if key < firstKeys + 2 {
                let weight2 = broadcast(weights[2 * stride + key])
                sum20 = multiplyAdd(weight2, value0, sum20)
                sum21 = multiplyAdd(weight2, value1, sum21)
            }
            let weight3 = broadcast(weights[3 * stride + key])
            sum30 = multiplyAdd(weight3, value0, sum30)
            sum31 = multiplyAdd(weight3, value1, sum31)
        }
        total00 += sum00
        total01 += sum01
        total10 += sum10
        total11 += sum11
        total20 += sum20
        total21 += sum21
        total30 += sum30
        total31 += sum31
    }
    storeSome(total00 * broadcast(reciprocals[0]), output, columns)
    storeSome(total01 * broadcast(reciprocals[0]), output + lanes, columns - lanes)
    storeSome(total10 * broadcast(reciprocals[1]), output + outputStride, columns)
    storeSome(total11 * broadcast(reciprocals[1]), output + outputStride + lanes, columns - lanes)
    storeSome(total20 * broadcast(reciprocals[2]), output + 2 * outputStride, columns)
    storeSome(total21 * broadcast(reciprocals[2]), output + 2 * outputStride + lanes, columns - lanes)
    storeSome(total30 * broadcast(reciprocals[3]), output + 3 * outputStride, columns)
    storeSome(total31 * broadcast(reciprocals[3]), output + 3 * outputStride + lanes, columns - lanes)
}

/// Two vectors of output columns of one query: see `outputOfOne`.
@inline(__always)
func wideOutputOfOne(
    _ weights: UnsafePointer<Float>, _ reciprocal: Float, keys: Int,
    _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ values: Int, _ valueStride: Int,
    into output: UnsafeMutablePointer<Float>, _ columns: Int
) {
    var sum00 = broadcast(0)
    var sum01 = broadcast(0)
    var sum10 = broadcast(0)
    var sum11 = broadcast(0)
    var sum20 = broadcast(0)
    var sum21 = broadcast(0)
    var sum30 = broadcast(0)
    var sum31 = broadcast(0)
    var key = 0
    while key + 4 <= keys {
        let value = blocks[key / blockLength] + (values + key % blockLength * valueStride)
        let weight0 = broadcast(weights[key])
        sum00 = multiplyAdd(weight0, load(value), sum00)
        sum01 = multiplyAdd(weight0, load(value + lanes), sum01)
        let weight1 = broadcast(weights[key + 1])
        sum10 = multiplyAdd(weight1, load(value + valueStride), sum10)
        sum11 = multiplyAdd(weight1, load(value + valueStride + lanes), sum11)
        let weight2 = broadcast(weights[key + 2])
        sum20 = multiplyAdd(weight2, load(value + 2 * valueStride), sum20)
        sum21 = multiplyAdd(weight2, load(value + 2 * valueStride + lanes), sum21)
        let weight3 = broadcast(weights[key + 3])
        sum30 = multiplyAdd(weight3, load(value + 3 * valueStride), sum30)
        sum31 = multiplyAdd(weight3, load(value + 3 * valueStride + lanes), sum31)
        key += 4
    }
    if key < keys {
        let value = blocks[key / blockLength] + (values + key % blockLength * valueStride)
        let weight0 = broadcast(weights[key])
        sum00 = multiplyAdd(weight0, load(value), sum00)
        sum01 = multiplyAdd(weight0, load(value + lanes), sum01)
        if key + 1 < keys {
            let weight1 = broadcast(weights[key + 1])
            sum10 = multiplyAdd(weight1, load(value + valueStride), sum10)
            sum11 = multiplyAdd(weight1, load(value + valueStride + lanes), sum11)
        }
        if key + 2 < keys {
            let weight2 = broadcast(weights[key + 2])
            sum20 = multiplyAdd(weight2, load(value + 2 * valueStride), sum20)
            sum21 = multiplyAdd(weight2, load(value + 2 * valueStride + lanes), sum21)
        }
    }
    // From zero, as the tile's total: it makes a chain that ended in -0 a +0.
    let total0 = (((broadcast(0) + sum00) + sum10) + sum20) + sum30
    let total1 = (((broadcast(0) + sum01) + sum11) + sum21) + sum31
    storeSome(total0 * broadcast(reciprocal), output, columns)
    storeSome(total1 * broadcast(reciprocal), output + lanes, columns - lanes)
}
