import CSIMD

/// Rows of `width` floats, every `rowStride`, that become pairs of neighbours, every `roundedStride`. (A tuple, for the reason
/// that `Strip` gives.)
typealias UnroundedRows = (
    values: UnsafePointer<Float>, rowStride: Int, width: Int, rounded: UnsafeMutablePointer<Float>, roundedStride: Int
)

/// Rows of `width` floats as rows of ⌈width / 2⌉ pairs of neighbours; see `Kernels.BFloat16Product.pairNeighbours`.
@inline(never)
public func pairNeighbours(
    _ source: UnsafePointer<Float>, rows: Int, rowStride: Int, width: Int, into pairs: UnsafeMutablePointer<UInt32>,
    pairStride: Int
) {
    pairRows((source, rowStride, width, lanePointer(pairs), pairStride), from: 0, count: rows)
}

/// Rounds `count` rows.
@inline(__always)
func pairRows(_ rows: UnroundedRows, from first: Int, count: Int) {
    var values = rows.values + first * rows.rowStride
    var rounded = rows.rounded + first * rows.roundedStride
    if rows.rowStride == rows.width && 2 * rows.roundedStride == rows.width {
        // Rows without gaps are one.
        pairRow(values, width: count * rows.width, into: rounded)
        return
    }
    for _ in 0..<count {
        pairRow(values, width: rows.width, into: rounded)
        values += rows.rowStride
        rounded += rows.roundedStride
    }
}

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
        pairRows((weight + output * depth, depth, depth, lanePointer(workspace), pairCount), from: 0, count: rows)
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
