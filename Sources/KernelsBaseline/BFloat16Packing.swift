import CSIMD

/// Rows of `width` floats, every `rowStride`, that are rounded to what tiles take, a row every `roundedStride`: pairs of
/// neighbours, or floats, the second of each pair first. (A tuple, for the reason that `Strip` gives.)
typealias UnroundedRows = (
    values: UnsafePointer<Float>, rowStride: Int, width: Int, rounded: UnsafeMutablePointer<Float>, roundedStride: Int
)

/// The lanes that a rounded row of `width` values takes; see `Kernels.BFloat16Product.roundedCount`.
@inline(never)
public func roundedCount(_ width: Int) -> Int {
    roundedLanes(width)
}

@inline(__always)
func roundedLanes(_ width: Int) -> Int {
    tilesTakePairs ? (width + 1) / 2 : (width + 1) / 2 * 2
}

/// Rows of `width` floats rounded to rows as tiles take them; see `Kernels.BFloat16Product.round`.
@inline(never)
public func roundRows(
    _ source: UnsafePointer<Float>, rows: Int, rowStride: Int, width: Int, into rounded: UnsafeMutablePointer<UInt32>,
    roundedStride: Int
) {
    roundRows((source, rowStride, width, lanePointer(rounded), roundedStride), from: 0, count: rows)
}

/// Rounds `count` rows.
@inline(__always)
func roundRows(_ rows: UnroundedRows, from first: Int, count: Int) {
    var values = rows.values + first * rows.rowStride
    var rounded = rows.rounded + first * rows.roundedStride
    if rows.rowStride == rows.width && rows.width % 2 == 0 && rows.roundedStride == roundedLanes(rows.width) {
        // Rows without gaps are one.
        roundRow(values, width: count * rows.width, into: rounded)
        return
    }
    for _ in 0..<count {
        roundRow(values, width: rows.width, into: rounded)
        values += rows.rowStride
        rounded += rows.roundedStride
    }
}

#if KERNELS_BF16
    @inline(__always)
    private func roundRow(_ values: UnsafePointer<Float>, width: Int, into rounded: UnsafeMutablePointer<Float>) {
        pairRow(values, width: width, into: rounded)
    }
#else
    /// Single values, the second of each pair first.
    @inline(__always)
    private func roundRow(_ values: UnsafePointer<Float>, width: Int, into rounded: UnsafeMutablePointer<Float>) {
        var column = 0
        while column + lanes <= width {
            store(roundedNeighbours(load(values + column)), rounded + column)
            column += lanes
        }
        if column < width {
            let left = width - column
            storeSome(roundedNeighbours(loadSome(values + column, left)), rounded + column, (left + 1) / 2 * 2)
        }
    }
#endif

/// Pairs of neighbours.
@inline(__always)
private func pairRow(_ values: UnsafePointer<Float>, width: Int, into destination: UnsafeMutablePointer<Float>) {
    var column = 0
    for _ in 0..<width / (4 * lanes) {
        let source = values + column
        let pairs = destination + column / 2
        store(pairsOfNeighbours(load(source), load(source + lanes)), pairs)
        store(pairsOfNeighbours(load(source + 2 * lanes), load(source + 3 * lanes)), pairs + lanes)
        column += 4 * lanes
    }
    if column + 2 * lanes <= width {
        store(pairsOfNeighbours(load(values + column), load(values + column + lanes)), destination + column / 2)
        column += 2 * lanes
    }
    if column < width {
        let left = width - column
        let pairs = pairsOfNeighbours(
            loadSome(values + column, left), loadSome(values + column + lanes, left - lanes))
        storeSome(pairs, destination + column / 2, (left + 1) / 2)
    }
}

/// Weight [outputs, depth] to panels [⌈outputs/32⌉][⌈depth/2⌉][32] of pairs along depth, zero padded. The workspace takes
/// 32 rows of pairs.
@inline(never)
public func packWeightPairs(
    _ weight: UnsafePointer<Float>, outputs: Int, depth: Int, into packed: UnsafeMutablePointer<UInt32>,
    workspace: UnsafeMutablePointer<UInt32>
) {
    let pairCount = (depth + 1) / 2
    var output = 0
    while output < outputs {
        let rows = min(panelWidth, outputs - output)
        for row in 0..<rows {
            pairRow(
                weight + (output + row) * depth, width: depth, into: lanePointer(workspace) + row * pairCount)
        }
        packWeight(
            lanePointer(UnsafePointer(workspace)), outputs: rows, depth: pairCount,
            into: lanePointer(packed) + output * pairCount)
        output += panelWidth
    }
}

/// Weight [outputs, depth] to panels [⌈depth/32⌉][⌈outputs/2⌉][32] of pairs along outputs, zero padded.
@inline(never)
public func packTransposedWeightPairs(
    _ weight: UnsafePointer<Float>, outputs: Int, depth: Int, into packed: UnsafeMutablePointer<UInt32>
) {
    packPanels(
        weight, rows: outputs, rowStride: depth, columns: depth, into: lanePointer(packed), pairs: true, apart: false)
}
