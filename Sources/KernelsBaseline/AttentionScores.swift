import CSIMD

/// scale q·k of four queries with all keys of the blocks: lanes are keys, one chain over the head's dimensions.
@inline(__always)
func scoresOfTile(
    _ query: UnsafePointer<Float>, _ queryStride: Int, _ headDimension: Int, _ scale: Float,
    _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ blockOffset: Int, _ blockCount: Int,
    into scores: UnsafeMutablePointer<Float>, _ stride: Int
) {
    var block = 0
    #if KERNELS_AVX512
        while block + 2 <= blockCount {
            let keys0 = blocks[block] + blockOffset
            let keys1 = blocks[block + 1] + blockOffset
            var sum00 = broadcast(0)
            var sum01 = broadcast(0)
            var sum10 = broadcast(0)
            var sum11 = broadcast(0)
            var sum20 = broadcast(0)
            var sum21 = broadcast(0)
            var sum30 = broadcast(0)
            var sum31 = broadcast(0)
            for d in 0..<headDimension {
                let key0 = load(keys0 + d * blockLength)
                let key1 = load(keys1 + d * blockLength)
                let query0 = broadcast(query[d])
                sum00 = multiplyAdd(query0, key0, sum00)
                sum01 = multiplyAdd(query0, key1, sum01)
                let query1 = broadcast(query[queryStride + d])
                sum10 = multiplyAdd(query1, key0, sum10)
                sum11 = multiplyAdd(query1, key1, sum11)
                let query2 = broadcast(query[2 * queryStride + d])
                sum20 = multiplyAdd(query2, key0, sum20)
                sum21 = multiplyAdd(query2, key1, sum21)
                let query3 = broadcast(query[3 * queryStride + d])
                sum30 = multiplyAdd(query3, key0, sum30)
                sum31 = multiplyAdd(query3, key1, sum31)
            }
            let result = scores + block * blockLength
            store(sum00 * broadcast(scale), result)
            store(sum01 * broadcast(scale), result + blockLength)
            store(sum10 * broadcast(scale), result + stride)
            store(sum11 * broadcast(scale), result + stride + blockLength)
            store(sum20 * broadcast(scale), result + 2 * stride)
            store(sum21 * broadcast(scale), result + 2 * stride + blockLength)
            store(sum30 * broadcast(scale), result + 3 * stride)
            store(sum31 * broadcast(scale), result + 3 * stride + blockLength)
            block += 2
        }
    #endif
    while block < blockCount {
        let keys0 = blocks[block] + blockOffset
        var sum00 = broadcast(0)
        var sum10 = broadcast(0)
        var sum20 = broadcast(0)
        var sum30 = broadcast(0)
        for d in 0..<headDimension {
            let key0 = load(keys0 + d * blockLength)
            let query0 = broadcast(query[d])
            sum00 = multiplyAdd(query0, key0, sum00)
            let query1 = broadcast(query[queryStride + d])
            sum10 = multiplyAdd(query1, key0, sum10)
            let query2 = broadcast(query[2 * queryStride + d])
            sum20 = multiplyAdd(query2, key0, sum20)
            let query3 = broadcast(query[3 * queryStride + d])
            sum30 = multiplyAdd(query3, key0, sum30)
        }
        let result = scores + block * blockLength
        store(sum00 * broadcast(scale), result)
        store(sum10 * broadcast(scale), result + stride)
        store(sum20 * broadcast(scale), result + 2 * stride)
        store(sum30 * broadcast(scale), result + 3 * stride)
        block += 1
    }
}

/// scale q·k of one query, several blocks of keys at once.
@inline(__always)
func scoresOfOne(
    _ query: UnsafePointer<Float>, _ headDimension: Int, _ scale: Float,
    _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ blockOffset: Int, _ blockCount: Int,
    into scores: UnsafeMutablePointer<Float>
) {
    var block = 0
    #if KERNELS_AVX512
        while block + 8 <= blockCount {
            let keys0 = blocks[block] + blockOffset
            let keys1 = blocks[block + 1] + blockOffset
            let keys2 = blocks[block + 2] + blockOffset
            let keys3 = blocks[block + 3] + blockOffset
            let keys4 = blocks[block + 4] + blockOffset
            let keys5 = blocks[block + 5] + blockOffset
            let keys6 = blocks[block + 6] + blockOffset
            let keys7 = blocks[block + 7] + blockOffset
            var sum0 = broadcast(0)
            var sum1 = broadcast(0)
            var sum2 = broadcast(0)
            var sum3 = broadcast(0)
            var sum4 = broadcast(0)
            var sum5 = broadcast(0)
            var sum6 = broadcast(0)
            var sum7 = broadcast(0)
            for d in 0..<headDimension {
                let factor = broadcast(query[d])
                sum0 = multiplyAdd(factor, load(keys0 + d * blockLength), sum0)
                sum1 = multiplyAdd(factor, load(keys1 + d * blockLength), sum1)
                sum2 = multiplyAdd(factor, load(keys2 + d * blockLength), sum2)
                sum3 = multiplyAdd(factor, load(keys3 + d * blockLength), sum3)
                sum4 = multiplyAdd(factor, load(keys4 + d * blockLength), sum4)
                sum5 = multiplyAdd(factor, load(keys5 + d * blockLength), sum5)
                sum6 = multiplyAdd(factor, load(keys6 + d * blockLength), sum6)
                sum7 = multiplyAdd(factor, load(keys7 + d * blockLength), sum7)
            }
            let result = scores + block * blockLength
            store(sum0 * broadcast(scale), result)
            store(sum1 * broadcast(scale), result + blockLength)
            store(sum2 * broadcast(scale), result + 2 * blockLength)
            store(sum3 * broadcast(scale), result + 3 * blockLength)
            store(sum4 * broadcast(scale), result + 4 * blockLength)
            store(sum5 * broadcast(scale), result + 5 * blockLength)
            store(sum6 * broadcast(scale), result + 6 * blockLength)
            store(sum7 * broadcast(scale), result + 7 * blockLength)
            block += 8
        }
    #endif
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
        let keys0 = blocks[block] + blockOffset
        var sum0 = broadcast(0)
        for d in 0..<headDimension {
            let factor = broadcast(query[d])
            sum0 = multiplyAdd(factor, load(keys0 + d * blockLength), sum0)
        }
        let result = scores + block * blockLength
        store(sum0 * broadcast(scale), result)
        block += 1
    }
}
