import CSIMD

/// The output columns that a tile makes: `count` are left from `first`; a second vector starts at `second`, or is the first
/// again where the row has no other.
typealias ValueColumns = (first: Int, second: Int, count: Int)

// Every element of an output is four chains over the keys whose position is c modulo 4, ascending, added in the order
// of c from zero (which makes a chain that ended in -0 a +0).

/// `tileWidth` output columns of four queries.
@inline(__always)
func outputsOfTile(
    _ keys: AttentionKeys, _ queries: AttentionQueries, _ weights: UnsafePointer<Float>, _ columns: ValueColumns,
    into output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
    var totals = fourRows
    for half in 0..<2 {
        var even = fourRows
        var odd = fourRows
        var key = 2 * half
        while key + 1 < queries.firstKeys {
            let (first, second) = valueRows(keys, key, columns)
            addFourWeights(weights + key, queries.scoreStride, first, to: &even)
            addFourWeights(weights + key + 1, queries.scoreStride, second, to: &odd)
            key += 4
        }
        // At most one more pair of keys is seen, by the later queries alone or in part.
        let step = queries.positionStep
        if key < queries.firstKeys + 3 * step {
            let (first, second) = valueRows(keys, key, columns)
            let weight = weights + key
            let left = queries.firstKeys - key
            addSome(weight, left, first, second, &even.0, &odd.0)
            addSome(weight + queries.scoreStride, left + step, first, second, &even.1, &odd.1)
            addSome(weight + 2 * queries.scoreStride, left + 2 * step, first, second, &even.2, &odd.2)
            addSome(weight + 3 * queries.scoreStride, left + 3 * step, first, second, &even.3, &odd.3)
        }
        addTotals(even, odd, to: &totals)
    }
    let reciprocals = queries.reciprocals
    storeScaled(totals.0, reciprocals[0], output, columns.count)
    storeScaled(totals.1, reciprocals[1], output + outputStride, columns.count)
    storeScaled(totals.2, reciprocals[2], output + 2 * outputStride, columns.count)
    storeScaled(totals.3, reciprocals[3], output + 3 * outputStride, columns.count)
}

/// The same of one query that sees `count` keys: all four chains at once.
@inline(__always)
func outputsOfOne(
    _ keys: AttentionKeys, _ queries: AttentionQueries, _ weights: UnsafePointer<Float>, count: Int,
    _ columns: ValueColumns,
    into output: UnsafeMutablePointer<Float>, reciprocal: Float
) {
    var sums = fourRows
    var key = 0
    while key + 4 <= count {
        let (first, second) = valueRows(keys, key, columns)
        let (third, fourth) = valueRows(keys, key + 2, columns)
        addRow(weights[key], first, to: &sums.0, pairs: false)
        addRow(weights[key + 1], second, to: &sums.1, pairs: false)
        addRow(weights[key + 2], third, to: &sums.2, pairs: false)
        addRow(weights[key + 3], fourth, to: &sums.3, pairs: false)
        key += 4
    }
    addLastKeys(keys, weights, from: key, to: count, columns, to: &sums)
    var total = zeroRow
    addTotal(sums, to: &total)
    storeScaled(total, reciprocal, output, columns.count)
}

#if KERNELS_AVX512
    /// The same of two queries: all four chains at once.
    @inline(__always)
    func outputsOfPair(
        _ keys: AttentionKeys, _ queries: AttentionQueries, _ weights: UnsafePointer<Float>, _ columns: ValueColumns,
        into output: UnsafeMutablePointer<Float>, _ outputStride: Int
    ) {
        let other = weights + queries.scoreStride
        var sums0 = fourRows
        var sums1 = fourRows
        var key = 0
        while key + 4 <= queries.firstKeys {
            let (first, second) = valueRows(keys, key, columns)
            addRow(weights[key], first, to: &sums0.0, pairs: false)
            addRow(other[key], first, to: &sums1.0, pairs: false)
            addRow(weights[key + 1], second, to: &sums0.1, pairs: false)
            addRow(other[key + 1], second, to: &sums1.1, pairs: false)
            let (third, fourth) = valueRows(keys, key + 2, columns)
            addRow(weights[key + 2], third, to: &sums0.2, pairs: false)
            addRow(other[key + 2], third, to: &sums1.2, pairs: false)
            addRow(weights[key + 3], fourth, to: &sums0.3, pairs: false)
            addRow(other[key + 3], fourth, to: &sums1.3, pairs: false)
            key += 4
        }
        addLastKeys(keys, weights, from: key, to: queries.firstKeys, columns, to: &sums0)
        addLastKeys(keys, other, from: key, to: queries.firstKeys + queries.positionStep, columns, to: &sums1)
        var total0 = zeroRow
        var total1 = zeroRow
        addTotal(sums0, to: &total0)
        addTotal(sums1, to: &total1)
        storeScaled(total0, queries.reciprocals[0], output, columns.count)
        storeScaled(total1, queries.reciprocals[1], output + outputStride, columns.count)
    }
#endif

/// A row of `tileWidth` columns for each of four queries, or for each of four chains.
private typealias FourRows = (TileRow, TileRow, TileRow, TileRow)

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

/// The values of an even key and of the next one.
@inline(__always)
private func valueRows(_ keys: AttentionKeys, _ key: Int, _ columns: ValueColumns) -> (TileRow, TileRow) {
    let block = keys.blocks[key / blockLength] + keys.valueOffset
    let slot = key % blockLength
    if keys.compact {
        let pairs = valueRow(block + slot / 2 * keys.valueStride, columns)
        #if KERNELS_AVX512
            return (
                (lowValues(pairs.left), lowValues(pairs.right)), (highValues(pairs.left), highValues(pairs.right))
            )
        #else
            return (lowValues(pairs), highValues(pairs))
        #endif
    }
    let first = block + slot * keys.valueStride
    return (valueRow(first, columns), valueRow(first + keys.valueStride, columns))
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
private func addFourWeights(_ weight: UnsafePointer<Float>, _ stride: Int, _ value: TileRow, to sums: inout FourRows) {
    addRow(weight[0], value, to: &sums.0, pairs: false)
    addRow(weight[stride], value, to: &sums.1, pairs: false)
    addRow(weight[2 * stride], value, to: &sums.2, pairs: false)
    addRow(weight[3 * stride], value, to: &sums.3, pairs: false)
}

/// The first `left` of two keys for one query.
@inline(__always)
private func addSome(
    _ weight: UnsafePointer<Float>, _ left: Int, _ first: TileRow, _ second: TileRow, _ even: inout TileRow,
    _ odd: inout TileRow
) {
    if left > 0 { addRow(weight[0], first, to: &even, pairs: false) }
    if left > 1 { addRow(weight[1], second, to: &odd, pairs: false) }
}

/// The keys `from ..< to`, at most four, for one query's chains; `from` is a multiple of four.
@inline(__always)
private func addLastKeys(
    _ keys: AttentionKeys, _ weights: UnsafePointer<Float>, from: Int, to: Int, _ columns: ValueColumns,
    to sums: inout FourRows
) {
    guard from < to else { return }
    let (first, second) = valueRows(keys, from, columns)
    addSome(weights + from, to - from, first, second, &sums.0, &sums.1)
    guard from + 2 < to else { return }
    let (third, fourth) = valueRows(keys, from + 2, columns)
    addSome(weights + from + 2, to - from - 2, third, fourth, &sums.2, &sums.3)
}

@inline(__always)
private func addTotals(_ even: FourRows, _ odd: FourRows, to totals: inout FourRows) {
    totals.0 = sum(sum(totals.0, even.0), odd.0)
    totals.1 = sum(sum(totals.1, even.1), odd.1)
    totals.2 = sum(sum(totals.2, even.2), odd.2)
    totals.3 = sum(sum(totals.3, even.3), odd.3)
}

@inline(__always)
private func addTotal(_ chains: FourRows, to total: inout TileRow) {
    total = sum(sum(sum(sum(total, chains.0), chains.1), chains.2), chains.3)
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
