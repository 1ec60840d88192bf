import CSIMD

/// Rows of `width` floats as rows of ⌈width / 2⌉ pairs of neighbours; see `Kernels.BFloat16Product.pairNeighbours`.
@inline(never)
public func pairNeighbours(
    _ source: UnsafePointer<Float>, rows: Int, rowStride: Int, width: Int, into pairs: UnsafeMutablePointer<UInt32>
) {
    let pairCount = (width + 1) / 2
    for row in 0..<rows {
        pairRow(source + row * rowStride, width: width, into: lanePointer(pairs) + row * pairCount)
    }
}

@inline(__always)
private func pairRow(_ values: UnsafePointer<Float>, width: Int, into destination: UnsafeMutablePointer<Float>) {
    var column = 0
    while column + 2 * lanes <= width {
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
        pairNeighbours(weight + output * depth, rows: rows, rowStride: depth, width: depth, into: workspace)
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
