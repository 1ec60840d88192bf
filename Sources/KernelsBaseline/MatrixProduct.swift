/// How many values of `depth` a block takes at most: a tile's rows of A (24 KB) then stay in the first-level cache.
private let depthBlock = 512

/// The floats of the packed panels that a group takes: they stay in the second-level cache while rows pass.
private let groupFloats = 64 * 1024

/// C[rows, outputs] (+)= A[rows, depth] · packed panels; see `Kernels.MatrixProduct.multiply`.
@inline(never)
public func multiply(
    _ a: UnsafePointer<Float>, rows: Int, rowStride: Int, packed: UnsafePointer<Float>, outputs: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool
) {
    let blocks = rows <= tileHeight ? 1 : max(1, (depth + depthBlock - 1) / depthBlock)
    let blockDepth = (depth + blocks - 1) / blocks
    let groupColumns = max(1, groupFloats / (panelWidth * max(1, blockDepth))) * panelWidth
    for block in 0..<blocks {
        let firstDepth = block * blockDepth
        let panels = packed + firstDepth * panelWidth
        var column = 0
        while column < outputs {
            multiplyGroup(
                a + firstDepth, rows: rows, rowStride: rowStride, panels: panels + column * depth,
                panelStride: panelWidth * depth, columns: min(groupColumns, outputs - column),
                following: min(groupColumns, max(0, outputs - column - groupColumns)),
                depth: min(blockDepth, depth - firstDepth), into: c + column, resultStride: resultStride,
                reloading: accumulating || block > 0)
            column += groupColumns
        }
    }
}

/// All rows with one group of panels, behind which those of another group with `following` columns stand.
@inline(__always)
private func multiplyGroup(
    _ a: UnsafePointer<Float>, rows: Int, rowStride: Int, panels: UnsafePointer<Float>, panelStride: Int, columns: Int,
    following: Int, depth: Int, into c: UnsafeMutablePointer<Float>, resultStride: Int, reloading: Bool
) {
    // While the tiles of a panel are computed, each brings its share of the next group's panel nearer.
    let tiles = (rows + tileHeight - 1) / tileHeight
    let aheadStride = tiles > 1 ? (tileWidth + tiles - 1) / tiles : 0
    let aheadGroup = (columns + panelWidth - 1) / panelWidth * panelStride
    var aheadRow = 0
    var row = 0
    while row < rows {
        let height = nextTileHeight(rows - row)
        let result = c + row * resultStride
        var column = 0
        while column < columns {
            let panel = panels + tileOffset(column: column, panelStride)
            if height == 1 && columns - column >= 4 * tileWidth {
                multiplyOneRow(
                    a + row * rowStride, panels: panel, panelStride: panelStride, depth: depth, into: result + column,
                    reloading: reloading)
                column += 4 * tileWidth
                continue
            }
            if height == 2 && columns - column >= 2 * tileWidth {
                multiplyTwoRows(
                    a + row * rowStride, rowStride: rowStride, panels: panel, panelStride: panelStride, depth: depth,
                    into: result + column, resultStride: resultStride, reloading: reloading)
                column += 2 * tileWidth
                continue
            }
            #if KERNELS_AVX512
                if columns - column <= lanes {
                    multiplyHalfPanel(
                        height: height, a + row * rowStride, rowStride: rowStride, panel: panel, depth: depth,
                        into: result + column, resultStride: resultStride, columns: columns - column,
                        reloading: reloading)
                    break
                }
            #endif
            let isLast = column + tileWidth >= columns
            multiplyTile(
                height: height, a + row * rowStride, rowStride: rowStride, depthStride: 1, panel: panel, depth: depth,
                into: result + column, resultStride: resultStride, columns: min(tileWidth, columns - column),
                reloading: reloading, next: isLast ? result + height * resultStride : result + column + tileWidth,
                ahead: column < following ? panel + aheadGroup + aheadRow : panel,
                aheadStride: column < following ? aheadStride : 0)
            column += tileWidth
        }
        aheadRow += depth * aheadStride
        row += height
    }
}
