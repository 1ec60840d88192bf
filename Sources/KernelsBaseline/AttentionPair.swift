import CSIMD

#if KERNELS_AVX512
    /// scale q·k of two queries, four blocks of keys at once: see `scoresOfTile`.
    @inline(__always)
    func scoresOfPair(
        _ query: UnsafePointer<Float>, _ queryStride: Int, _ headDimension: Int, _ scale: Float,
        _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ blockOffset: Int, _ blockCount: Int,
        into scores: UnsafeMutablePointer<Float>, _ stride: Int
    ) {
        var block = 0
        while block + 4 <= blockCount {
            let keys0 = blocks[block] + blockOffset
            let keys1 = blocks[block + 1] + blockOffset
            let keys2 = blocks[block + 2] + blockOffset
            let keys3 = blocks[block + 3] + blockOffset
            var sum00 = broadcast(0)
            var sum01 = broadcast(0)
            var sum02 = broadcast(0)
            var sum03 = broadcast(0)
            var sum10 = broadcast(0)
            var sum11 = broadcast(0)
            var sum12 = broadcast(0)
            var sum13 = broadcast(0)
            for d in 0..<headDimension {
                let query0 = broadcast(query[d])
                let query1 = broadcast(query[queryStride + d])
                let key0 = load(keys0 + d * blockLength)
                sum00 = multiplyAdd(query0, key0, sum00)
                sum10 = multiplyAdd(query1, key0, sum10)
                let key1 = load(keys1 + d * blockLength)
                sum01 = multiplyAdd(query0, key1, sum01)
                sum11 = multiplyAdd(query1, key1, sum11)
                let key2 = load(keys2 + d * blockLength)
                sum02 = multiplyAdd(query0, key2, sum02)
                sum12 = multiplyAdd(query1, key2, sum12)
                let key3 = load(keys3 + d * blockLength)
                sum03 = multiplyAdd(query0, key3, sum03)
                sum13 = multiplyAdd(query1, key3, sum13)
            }
            let result = scores + block * blockLength
            store(sum00 * broadcast(scale), result)
            store(sum01 * broadcast(scale), result + blockLength)
            store(sum02 * broadcast(scale), result + 2 * blockLength)
            store(sum03 * broadcast(scale), result + 3 * blockLength)
            store(sum10 * broadcast(scale), result + stride)
            store(sum11 * broadcast(scale), result + stride + blockLength)
            store(sum12 * broadcast(scale), result + stride + 2 * blockLength)
            store(sum13 * broadcast(scale), result + stride + 3 * blockLength)
            block += 4
        }
        while block < blockCount {
            let keys0 = blocks[block] + blockOffset
            var sum0 = broadcast(0)
            var sum1 = broadcast(0)
            for d in 0..<headDimension {
                let key0 = load(keys0 + d * blockLength)
                sum0 = multiplyAdd(broadcast(query[d]), key0, sum0)
                sum1 = multiplyAdd(broadcast(query[queryStride + d]), key0, sum1)
            }
            store(sum0 * broadcast(scale), scores + block * blockLength)
            store(sum1 * broadcast(scale), scores + stride + block * blockLength)
            block += 1
        }
    }

    /// Two vectors of output columns of two queries, the second seeing `step` keys more than the first: the chains of
    /// `outputsOfTile`, all four at once.
    @inline(__always)
    func wideOutputsOfPair(
        _ weights: UnsafePointer<Float>, _ stride: Int, _ reciprocals: UnsafePointer<Float>, firstKeys: Int,
        _ step: Int, _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>, _ values: Int, _ valueStride: Int,
        into output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ columns: Int
    ) {
        var first = fourWideSums
        var second = fourWideSums
        var key = 0
        while key + 4 <= firstKeys {
            let value = blocks[key / blockLength] + (values + key % blockLength * valueStride)
            let weight = weights + key
            addValue(weight, stride, value, to: &first.0, &second.0)
            addValue(weight + 1, stride, value + valueStride, to: &first.1, &second.1)
            addValue(weight + 2, stride, value + 2 * valueStride, to: &first.2, &second.2)
            addValue(weight + 3, stride, value + 3 * valueStride, to: &first.3, &second.3)
            key += 4
        }
        addLastKeys(weights, from: key, to: firstKeys, blocks, values, valueStride, &first)
        addLastKeys(weights + stride, from: key, to: firstKeys + step, blocks, values, valueStride, &second)
        storeWide(first, broadcast(reciprocals[0]), output, columns)
        storeWide(second, broadcast(reciprocals[1]), output + outputStride, columns)
    }

    /// Four chains, each of two vectors.
    private typealias WideSums = (TileRow, TileRow, TileRow, TileRow)

    @inline(__always)
    private var fourWideSums: WideSums {
        let zero: TileRow = (broadcast(0), broadcast(0))
        return (zero, zero, zero, zero)
    }

    /// One key's value to the chains of two queries, whose weights stand `stride` apart.
    @inline(__always)
    private func addValue(
        _ weight: UnsafePointer<Float>, _ stride: Int, _ value: UnsafePointer<Float>, to first: inout TileRow,
        _ second: inout TileRow
    ) {
        let row = loadRow(value)
        addRow(weight[0], row, to: &first, pairs: false)
        addRow(weight[stride], row, to: &second, pairs: false)
    }

    /// The keys `from ..< to`, at most four, `from` a multiple of four.
    @inline(__always)
    private func addLastKeys(
        _ weights: UnsafePointer<Float>, from: Int, to: Int, _ blocks: UnsafePointer<UnsafeMutablePointer<Float>>,
        _ values: Int, _ valueStride: Int, _ sums: inout WideSums
    ) {
        guard from < to else { return }
        let value = blocks[from / blockLength] + (values + from % blockLength * valueStride)
        addRow(weights[from], loadRow(value), to: &sums.0, pairs: false)
        if from + 1 < to { addRow(weights[from + 1], loadRow(value + valueStride), to: &sums.1, pairs: false) }
        if from + 2 < to { addRow(weights[from + 2], loadRow(value + 2 * valueStride), to: &sums.2, pairs: false) }
        if from + 3 < to { addRow(weights[from + 3], loadRow(value + 3 * valueStride), to: &sums.3, pairs: false) }
    }

    /// The chains' sum in their order, scaled. From zero, as the tile's total: it makes a chain that ended in -0 a +0.
    @inline(__always)
    private func storeWide(
        _ sums: WideSums, _ scale: Vector, _ output: UnsafeMutablePointer<Float>, _ columns: Int
    ) {
        let left = (((broadcast(0) + sums.0.left) + sums.1.left) + sums.2.left) + sums.3.left
        let right = (((broadcast(0) + sums.0.right) + sums.1.right) + sums.2.right) + sums.3.right
        storeSome(left * scale, output, columns)
        storeSome(right * scale, output + lanes, columns - lanes)
    }
#endif
