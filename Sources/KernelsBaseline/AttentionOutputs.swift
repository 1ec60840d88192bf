import CSIMD

/// The output columns that a tile makes: `count` are left from `first`; a second vector starts at `second`, or is the first
/// again where the row has no other.
typealias ValueColumns = (first: Int, second: Int, count: Int)

// Every element of an output is four chains over the rows of values whose index is c modulo 4, ascending, added in the
// order of c from zero (which makes a chain that ended in -0 a +0). A row is a key's, or in compact blocks two keys'.
//
// Chains to go on from stand as [query][chain][column], rows `valueStride` apart.

/// `tileWidth` output columns of four queries, whose chains go on from `chains` where these are given.
@inline(__always)
func outputsOfTile(
    _ keys: AttentionKeys, _ queries: AttentionQueries, _ prefetch: AttentionPrefetch, _ weights: UnsafePointer<Float>,
    _ columns: ValueColumns, from chains: UnsafePointer<Float>?, into output: UnsafeMutablePointer<Float>,
    _ outputStride: Int
) {
    let step = queries.positionStep
    let stride = queries.scoreStride
    let rowsPerBlock = blockLength / keysPerRow(keys)
    let wholeBlocks = queries.firstKeys / blockLength
    var totals = fourRows
    for half in 0..<2 {
        var even = fourRows
        var odd = fourRows
        if let chains {
            even = loadFourQueries(chains + 2 * half * keys.valueStride, keys, columns)
            odd = loadFourQueries(chains + (2 * half + 1) * keys.valueStride, keys, columns)
        }
        addWholeBlocks(keys, wholeBlocks, half, prefetch, weights, stride, columns, to: &even, &odd)
        // Later queries may see a block more than the first does.
        for block in wholeBlocks..<keys.blockCount {
            let values = keys.blocks[block] + keys.valueOffset
            let weight = weights + weightOffset(keys, block)
            let seen = queries.firstKeys - block * blockLength
            var row = 2 * half
            while row < rowsPerBlock {
                let left = seen - row * keysPerRow(keys)
                guard left + 3 * step > 0 else { break }
                let rows = valueRows(keys, values, row, columns)
                addSome(keys, weight + row, left, rows, &even.0, &odd.0)
                addSome(keys, weight + stride + row, left + step, rows, &even.1, &odd.1)
                addSome(keys, weight + 2 * stride + row, left + 2 * step, rows, &even.2, &odd.2)
                addSome(keys, weight + 3 * stride + row, left + 3 * step, rows, &even.3, &odd.3)
                row += 4
            }
        }
        addTotals(even, odd, to: &totals)
    }
    let reciprocals = queries.reciprocals
    storeScaled(totals.0, reciprocals[0], output, columns.count)
    storeScaled(totals.1, reciprocals[1], output + outputStride, columns.count)
    storeScaled(totals.2, reciprocals[2], output + 2 * outputStride, columns.count)
    storeScaled(totals.3, reciprocals[3], output + 3 * outputStride, columns.count)
}

/// The chains of four queries over whole blocks, to go on from.
@inline(__always)
func chainsOfTile(
    _ keys: AttentionKeys, _ scoreStride: Int, _ weights: UnsafePointer<Float>, _ columns: ValueColumns,
    into chains: UnsafeMutablePointer<Float>
) {
    for half in 0..<2 {
        var even = fourRows
        var odd = fourRows
        addWholeBlocks(keys, keys.blockCount, half, (false, nil, 0, 0), weights, scoreStride, columns, to: &even, &odd)
        storeFourQueries(even, chains + 2 * half * keys.valueStride, keys, columns)
        storeFourQueries(odd, chains + (2 * half + 1) * keys.valueStride, keys, columns)
    }
}

/// Half of the four chains of four queries over whole blocks.
@inline(__always)
private func addWholeBlocks(
    _ keys: AttentionKeys, _ blocks: Int, _ half: Int, _ prefetch: AttentionPrefetch, _ weights: UnsafePointer<Float>,
    _ stride: Int, _ columns: ValueColumns, to even: inout FourRows, _ odd: inout FourRows
) {
    let rowsPerBlock = blockLength / keysPerRow(keys)
    for block in 0..<blocks {
        let values = keys.blocks[block] + keys.valueOffset
        let next = nextKeys(prefetch, block)
        let weight = weights + weightOffset(keys, block)
        var row = 2 * half
        while row < rowsPerBlock {
            let (first, second) = valueRows(keys, values, row, columns)
            if let next { prefetchRows(keys, next, row, columns) }
            addFourWeights(weight + row, stride, first, to: &even, pairs: keys.compact)
            addFourWeights(weight + row + 1, stride, second, to: &odd, pairs: keys.compact)
            row += 4
        }
    }
}

/// The same of one query: all four chains at once.
@inline(__always)
func outputsOfOne(
    _ keys: AttentionKeys, _ queries: AttentionQueries, _ prefetch: AttentionPrefetch, _ weights: UnsafePointer<Float>,
    _ columns: ValueColumns, from chains: UnsafePointer<Float>?, into output: UnsafeMutablePointer<Float>
) {
    let wholeBlocks = queries.firstKeys / blockLength
    var sums = startChains(chains, keys, columns)
    addWholeBlocks(keys, wholeBlocks, prefetch, weights, columns, to: &sums)
    addLastBlock(keys, weights, wholeBlocks, seen: queries.firstKeys - wholeBlocks * blockLength, columns, to: &sums)
    storeScaled(total(sums), queries.reciprocals[0], output, columns.count)
}

/// The chains of one query over whole blocks, to go on from.
@inline(__always)
func chainsOfOne(
    _ keys: AttentionKeys, _ weights: UnsafePointer<Float>, _ columns: ValueColumns,
    into chains: UnsafeMutablePointer<Float>
) {
    var sums = fourRows
    addWholeBlocks(keys, keys.blockCount, (false, nil, 0, 0), weights, columns, to: &sums)
    storeRow(sums.0, chains, columns)
    storeRow(sums.1, chains + keys.valueStride, columns)
    storeRow(sums.2, chains + 2 * keys.valueStride, columns)
    storeRow(sums.3, chains + 3 * keys.valueStride, columns)
}

/// All four chains of one query over whole blocks.
@inline(__always)
private func addWholeBlocks(
    _ keys: AttentionKeys, _ blocks: Int, _ prefetch: AttentionPrefetch, _ weights: UnsafePointer<Float>,
    _ columns: ValueColumns, to sums: inout FourRows
) {
    let rowsPerBlock = blockLength / keysPerRow(keys)
    for block in 0..<blocks {
        let values = keys.blocks[block] + keys.valueOffset
        let next = nextKeys(prefetch, block)
        let weight = weights + weightOffset(keys, block)
        var row = 0
        while row < rowsPerBlock {
            let (first, second) = valueRows(keys, values, row, columns)
            let (third, fourth) = valueRows(keys, values, row + 2, columns)
            if let next {
                prefetchRows(keys, next, row, columns)
                prefetchRows(keys, next, row + 2, columns)
            }
            addFactorRow(weight + row, first, to: &sums.0, pairs: keys.compact)
            addFactorRow(weight + row + 1, second, to: &sums.1, pairs: keys.compact)
            addFactorRow(weight + row + 2, third, to: &sums.2, pairs: keys.compact)
            addFactorRow(weight + row + 3, fourth, to: &sums.3, pairs: keys.compact)
            row += 4
        }
    }
}

#if KERNELS_AVX512
    /// The same of two queries: all four chains at once.
    @inline(__always)
    func outputsOfPair(
        _ keys: AttentionKeys, _ queries: AttentionQueries, _ prefetch: AttentionPrefetch,
        _ weights: UnsafePointer<Float>, _ columns: ValueColumns, from chains: UnsafePointer<Float>?,
        into output: UnsafeMutablePointer<Float>, _ outputStride: Int
    ) {
        let others = weights + queries.scoreStride
        let rowsPerBlock = blockLength / keysPerRow(keys)
        let wholeBlocks = queries.firstKeys / blockLength
        var sums0 = startChains(chains, keys, columns)
        var sums1 = fourRows
        if let chains { sums1 = startChains(chains + chainsOfQuery * keys.valueStride, keys, columns) }
        for block in 0..<wholeBlocks {
            let values = keys.blocks[block] + keys.valueOffset
            let next = nextKeys(prefetch, block)
            let weight = weights + weightOffset(keys, block)
            let other = others + weightOffset(keys, block)
            var row = 0
            while row < rowsPerBlock {
                let (first, second) = valueRows(keys, values, row, columns)
                if let next {
                    prefetchRows(keys, next, row, columns)
                    prefetchRows(keys, next, row + 2, columns)
                }
                addFactorRow(weight + row, first, to: &sums0.0, pairs: keys.compact)
                addFactorRow(other + row, first, to: &sums1.0, pairs: keys.compact)
                addFactorRow(weight + row + 1, second, to: &sums0.1, pairs: keys.compact)
                addFactorRow(other + row + 1, second, to: &sums1.1, pairs: keys.compact)
                let (third, fourth) = valueRows(keys, values, row + 2, columns)
                addFactorRow(weight + row + 2, third, to: &sums0.2, pairs: keys.compact)
                addFactorRow(other + row + 2, third, to: &sums1.2, pairs: keys.compact)
                addFactorRow(weight + row + 3, fourth, to: &sums0.3, pairs: keys.compact)
                addFactorRow(other + row + 3, fourth, to: &sums1.3, pairs: keys.compact)
                row += 4
            }
        }
        for block in wholeBlocks..<keys.blockCount {
            let seen = queries.firstKeys - block * blockLength
            addLastBlock(keys, weights, block, seen: seen, columns, to: &sums0)
            addLastBlock(keys, others, block, seen: seen + queries.positionStep, columns, to: &sums1)
        }
        storeScaled(total(sums0), queries.reciprocals[0], output, columns.count)
        storeScaled(total(sums1), queries.reciprocals[1], output + outputStride, columns.count)
    }
#endif

@inline(__always)
private var zeroRow: TileRow {
    #if KERNELS_AVX512
        (broadcast(0), broadcast(0))
    #else
        broadcast(0)
    #endif
}

@inline(__always)
private var fourRows: FourRows { (zeroRow, zeroRow, zeroRow, zeroRow) }

/// Rows of chains that a query has among those to go on from.
let chainsOfQuery = 4

/// The four chains of a query: where they were left, or zero.
@inline(__always)
private func startChains(
    _ chains: UnsafePointer<Float>?, _ keys: AttentionKeys, _ columns: ValueColumns
) -> FourRows {
    guard let chains else { return fourRows }
    return (
        valueRow(chains, columns), valueRow(chains + keys.valueStride, columns),
        valueRow(chains + 2 * keys.valueStride, columns), valueRow(chains + 3 * keys.valueStride, columns)
    )
}

/// One chain each of four queries.
@inline(__always)
private func loadFourQueries(
    _ chain: UnsafePointer<Float>, _ keys: AttentionKeys, _ columns: ValueColumns
) -> FourRows {
    let stride = chainsOfQuery * keys.valueStride
    return (
        valueRow(chain, columns), valueRow(chain + stride, columns), valueRow(chain + 2 * stride, columns),
        valueRow(chain + 3 * stride, columns)
    )
}

@inline(__always)
private func storeFourQueries(
    _ rows: FourRows, _ chain: UnsafeMutablePointer<Float>, _ keys: AttentionKeys, _ columns: ValueColumns
) {
    let stride = chainsOfQuery * keys.valueStride
    storeRow(rows.0, chain, columns)
    storeRow(rows.1, chain + stride, columns)
    storeRow(rows.2, chain + 2 * stride, columns)
    storeRow(rows.3, chain + 3 * stride, columns)
}

@inline(__always)
private func storeRow(_ row: TileRow, _ chain: UnsafeMutablePointer<Float>, _ columns: ValueColumns) {
    #if KERNELS_AVX512
        store(row.left, chain + columns.first)
        store(row.right, chain + columns.second)
    #else
        store(row, chain + columns.first)
    #endif
}

@inline(__always)
private func keysPerRow(_ keys: AttentionKeys) -> Int { keys.compact ? 2 : 1 }

/// Where the weights of a block begin among those of all keys of the sequence. They stand together: a compact block has half a
/// vector of rows.
@inline(__always)
private func weightOffset(_ keys: AttentionKeys, _ block: Int) -> Int {
    factorOffset((keys.firstBlock + block) * blockLength / keysPerRow(keys), compact: keys.compact)
}

/// The keys to bring near while the values of a block are read.
@inline(__always)
private func nextKeys(_ prefetch: AttentionPrefetch, _ block: Int) -> UnsafeMutablePointer<Float>? {
    guard let next = prefetch.next else { return nil }
    return next[min(block, prefetch.blockCount - 1)] + prefetch.offset
}

/// The row of values with an even index and the next one.
@inline(__always)
private func valueRows(
    _ keys: AttentionKeys, _ values: UnsafePointer<Float>, _ row: Int, _ columns: ValueColumns
) -> (TileRow, TileRow) {
    let first = values + row * keys.valueStride
    return (valueRow(first, columns), valueRow(first + keys.valueStride, columns))
}

/// Brings near what stands in a block of keys where these rows do among the values, which take as many lines or a few more.
@inline(__always)
private func prefetchRows(_ keys: AttentionKeys, _ next: UnsafePointer<Float>, _ row: Int, _ columns: ValueColumns) {
    let first = next + row * keys.valueStride
    prefetchNearest(first + columns.first)
    prefetchNearest(first + keys.valueStride + columns.first)
    #if KERNELS_AVX512
        prefetchNearest(first + columns.second)
        prefetchNearest(first + keys.valueStride + columns.second)
    #endif
}

@inline(__always)
private func valueRow(_ row: UnsafePointer<Float>, _ columns: ValueColumns) -> TileRow {
    #if KERNELS_AVX512
        (load(row + columns.first), load(row + columns.second))
    #else
        load(row + columns.first)
    #endif
}

@inline(__always)
private func addFourWeights(
    _ weight: UnsafePointer<Float>, _ stride: Int, _ value: TileRow, to sums: inout FourRows, pairs: Bool
) {
    addFactorRow(weight, value, to: &sums.0, pairs: pairs)
    addFactorRow(weight + stride, value, to: &sums.1, pairs: pairs)
    addFactorRow(weight + 2 * stride, value, to: &sums.2, pairs: pairs)
    addFactorRow(weight + 3 * stride, value, to: &sums.3, pairs: pairs)
}

/// Two rows for one query, which sees `left` of their keys.
@inline(__always)
private func addSome(
    _ keys: AttentionKeys, _ weight: UnsafePointer<Float>, _ left: Int, _ values: (TileRow, TileRow),
    _ even: inout TileRow, _ odd: inout TileRow
) {
    addSeen(keys, weight, left, values.0, to: &even)
    addSeen(keys, weight + 1, left - keysPerRow(keys), values.1, to: &odd)
}

/// One row, of whose keys the query sees `left`. What stands in the others may be not a number, which no zero weight undoes.
@inline(__always)
private func addSeen(
    _ keys: AttentionKeys, _ weight: UnsafePointer<Float>, _ left: Int, _ values: TileRow, to sum: inout TileRow
) {
    guard left > 0 else { return }
    addFactorRow(weight, keys.compact && left == 1 ? lowHalves(values) : values, to: &sum, pairs: keys.compact)
}

/// What a query sees of a block: fewer keys than it has, or none.
@inline(__always)
private func addLastBlock(
    _ keys: AttentionKeys, _ weights: UnsafePointer<Float>, _ block: Int, seen: Int, _ columns: ValueColumns,
    to sums: inout FourRows
) {
    guard seen > 0 else { return }
    let values = keys.blocks[block] + keys.valueOffset
    let weight = weights + weightOffset(keys, block)
    var row = 0
    while row * keysPerRow(keys) < seen {
        let left = seen - row * keysPerRow(keys)
        addSome(keys, weight + row, left, valueRows(keys, values, row, columns), &sums.0, &sums.1)
        addSome(
            keys, weight + row + 2, left - 2 * keysPerRow(keys), valueRows(keys, values, row + 2, columns), &sums.2,
            &sums.3)
        row += 4
    }
}

/// Pairs with zeros in their high halves.
@inline(__always)
private func lowHalves(_ pairs: Vector) -> Vector {
    unsafeBitCast(unsafeBitCast(pairs, to: SIMD16<UInt32>.self) & SIMD16(repeating: 0xffff), to: Vector.self)
}

#if KERNELS_AVX512
    @inline(__always)
    private func lowHalves(_ row: TileRow) -> TileRow {
        (lowHalves(row.left), lowHalves(row.right))
    }
#endif

@inline(__always)
private func addTotals(_ even: FourRows, _ odd: FourRows, to totals: inout FourRows) {
    totals.0 = sum(sum(totals.0, even.0), odd.0)
    totals.1 = sum(sum(totals.1, even.1), odd.1)
    totals.2 = sum(sum(totals.2, even.2), odd.2)
    totals.3 = sum(sum(totals.3, even.3), odd.3)
}

@inline(__always)
private func total(_ chains: FourRows) -> TileRow {
    sum(sum(sum(sum(zeroRow, chains.0), chains.1), chains.2), chains.3)
}

@inline(__always)
private func sum(_ a: TileRow, _ b: TileRow) -> TileRow {
    #if KERNELS_AVX512
        (a.left + b.left, a.right + b.right)
    #else
        a + b
    #endif
}

@inline(__always)
private func storeScaled(
    _ row: TileRow, _ factor: Float, _ destination: UnsafeMutablePointer<Float>, _ columns: Int
) {
    #if KERNELS_AVX512
        storeSome(row.left * broadcast(factor), destination, columns)
        storeSome(row.right * broadcast(factor), destination + lanes, columns - lanes)
    #else
        storeSome(row * broadcast(factor), destination, columns)
    #endif
}
