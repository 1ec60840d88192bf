/// How many values of `depth` a block takes at most: a tile's rows of A (24 KB) then stay in the first-level cache.
private let depthBlock = 512

/// The floats of the packed panels that a group takes: they stay in the second-level cache while rows pass.
private let groupFloats = 32 * 1024

/// C[rows, outputs] (+)= A[rows, depth] · packed panels; see `Kernels.MatrixProduct.multiply`.
@inline(never)
public func multiply(
    _ a: UnsafePointer<Float>, rows: Int, rowStride: Int, packed: UnsafePointer<Float>, outputs: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool, next: UnsafePointer<Float>?
) {
    multiplyLanes(
        a, rows: rows, rowStride: rowStride, packed: packed, outputs: outputs, depth: depth, into: c,
        resultStride: resultStride, accumulating: accumulating, next: next, pairs: false)
}

/// The product of lanes that are floats, or `pairs` of bfloat16; depth and strides count lanes. Where rows make more than one
/// tile, as much as a group of panels takes is brought into the second-level cache meanwhile, from `next` on.
@inline(never)
func multiplyLanes(
    _ a: UnsafePointer<Float>, rows: Int, rowStride: Int, packed: UnsafePointer<Float>, outputs: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool, next: UnsafePointer<Float>?,
    pairs: Bool
) {
    let blocks = rows <= tileHeight ? 1 : max(1, (depth + depthBlock - 1) / depthBlock)
    let blockDepth = (depth + blocks - 1) / blocks
    let groupColumns = max(1, groupFloats / (panelWidth * max(1, blockDepth))) * panelWidth
    let panelStride = panelWidth * depth
    for block in 0..<blocks {
        let firstDepth = block * blockDepth
        let panels = packed + firstDepth * panelWidth
        var column = 0
        while column < outputs {
            let columns = min(groupColumns, outputs - column)
            let group: Tile = (
                a: a + firstDepth, rowStride: rowStride, depthStride: 1, panel: panels + column * depth,
                depth: min(blockDepth, depth - firstDepth), result: c + column, resultStride: resultStride,
                columns: columns, reloading: accumulating || block > 0, next: c, ahead: packed, aheadStride: 0
            )
            let following = outputs - column - columns
            if following > 0 {
                multiplyGroup(
                    group, rows: rows, panelStride: panelStride, ahead: panels + (column + columns) * depth,
                    aheadPanelStride: panelStride, aheadColumns: min(groupColumns, following), pairs: pairs)
            } else if block + 1 < blocks {
                multiplyGroup(
                    group, rows: rows, panelStride: panelStride, ahead: panels + blockDepth * panelWidth,
                    aheadPanelStride: panelStride, aheadColumns: min(groupColumns, outputs), pairs: pairs)
            } else {
                multiplyGroup(
                    group, rows: rows, panelStride: panelStride, ahead: next ?? packed,
                    aheadPanelStride: panelWidth * blockDepth, aheadColumns: next == nil ? 0 : groupColumns,
                    pairs: pairs)
            }
            column += groupColumns
        }
    }
}

/// All rows with one group of panels, while those of another group, `aheadColumns` columns from `ahead` on, are brought nearer.
@inline(__always)
private func multiplyGroup(
    _ group: Tile, rows: Int, panelStride: Int, ahead: UnsafePointer<Float>, aheadPanelStride: Int, aheadColumns: Int,
    pairs: Bool
) {
    // While the tiles of a panel are computed, each brings its share of the other group's panel nearer.
    let tiles = (rows + tileHeight - 1) / tileHeight
    let aheadStride = tiles > 1 ? (tileWidth + tiles - 1) / tiles : 0
    var aheadRow = 0
    var row = 0
    while row < rows {
        let height = nextTileHeight(rows - row)
        var tile = group
        tile.a += row * group.rowStride
        let result = group.result + row * group.resultStride
        var column = 0
        while column < group.columns {
            let left = group.columns - column
            tile.panel = group.panel + tileOffset(column: column, panelStride)
            tile.result = result + column
            tile.columns = min(tileWidth, left)
            if height == 1 && left >= 4 * tileWidth {
                multiplyOneRow(tile, panelStride: panelStride, pairs: pairs)
                column += 4 * tileWidth
                continue
            }
            if height == 2 && left >= 2 * tileWidth {
                multiplyTwoRows(tile, panelStride: panelStride, pairs: pairs)
                column += 2 * tileWidth
                continue
            }
            #if KERNELS_AVX512
                if left <= lanes {
                    multiplyHalfPanel(tile, height: height, pairs: pairs)
                    break
                }
            #endif
            tile.next = left <= tileWidth ? result + height * group.resultStride : tile.result + tileWidth
            let isAhead = column < aheadColumns
            tile.ahead = isAhead ? ahead + tileOffset(column: column, aheadPanelStride) + aheadRow : tile.panel
            tile.aheadStride = isAhead ? aheadStride : 0
            multiplyTile(tile, height: height, pairs: pairs)
            column += tileWidth
        }
        aheadRow += tile.depth * aheadStride
        row += height
    }
}
