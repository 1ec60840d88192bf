/// How many lanes of depth a block takes at most: a tile's rows of A and its panel then stay in the second-level cache, from
/// where reading keeps pace. Smaller blocks cost more, in results that are loaded and stored again.
private let depthBlock = 2560

/// The floats of the packed panels that a group takes: they stay in the second-level cache while rows pass. Where few rows do,
/// panels come from memory as fast as it gives them, and small groups spread that evenly.
@inline(__always)
private func groupFloats(rows: Int) -> Int {
    rows < 128 ? 32 * 1024 : 96 * 1024
}

/// C[rows, outputs] (+)= A[rows, depth] · packed panels; see `Kernels.MatrixProduct.multiply`.
@inline(never)
public func multiply(
    _ a: UnsafePointer<Float>, rows: Int, rowStride: Int, packed: UnsafePointer<Float>, outputs: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool, coming: ComingReads
) {
    multiplyLanes(
        a, rows: rows, rowStride: rowStride, packed: packed, outputs: outputs, depth: depth, into: c,
        resultStride: resultStride, accumulating: accumulating, coming: coming, pairs: false, rounding: nil)
}

/// The product of lanes that are floats, or `pairs` of bfloat16; depth counts lanes, strides the floats that rows take. Where
/// rows make more than one strip, the next group of panels and what is `coming` are brought into the second-level cache
/// meanwhile.
@inline(never)
func multiplyLanes(
    _ a: UnsafePointer<Float>, rows: Int, rowStride: Int, packed: UnsafePointer<Float>, outputs: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool, coming: ComingReads, pairs: Bool,
    rounding unrounded: UnroundedRows?
) {
    var coming = coming
    let blocks = rows <= tileHeight ? 1 : max(1, (depth + depthBlock - 1) / depthBlock)
    let blockDepth = (depth + blocks - 1) / blocks
    // A single strip reads every panel once: groups would serve nothing.
    let groupColumns =
        rows == nextTileHeight(rows)
        ? outputs : max(1, groupFloats(rows: rows) / (panelWidth * max(1, blockDepth))) * panelWidth
    let panelStride = panelWidth * depth
    let depthStride = pairs && !tilesTakePairs ? 2 : 1
    for block in 0..<blocks {
        let firstDepth = block * blockDepth
        let panels = packed + firstDepth * panelWidth
        var column = 0
        while column < outputs {
            var group: Strip = (
                a: a + firstDepth * depthStride, rowStride: rowStride, depthStride: depthStride,
                panel: panels + column * depth, panelStride: panelStride, depth: min(blockDepth, depth - firstDepth),
                result: c + column, resultStride: resultStride, columns: min(groupColumns, outputs - column),
                reloading: accumulating || block > 0, following: c,
                ahead: (packed, panelStride, columns: 0, stride: 0, pieces: nil, pieceCount: 0, pieceOffset: 0)
            )
            let left = outputs - column - group.columns
            if left > 0 {
                group.ahead.panels = panels + (column + group.columns) * depth
                group.ahead.columns = min(groupColumns, left)
            } else if block + 1 < blocks {
                group.ahead.panels = panels + blockDepth * panelWidth
                group.ahead.columns = min(groupColumns, outputs)
            } else if let next = coming.panels {
                group.ahead.panels = next
                group.ahead.panelStride = panelWidth * blockDepth
                group.ahead.columns = groupColumns
            }
            multiplyGroup(
                group, &coming, rows: rows, pairs: pairs, rounding: block == 0 && column == 0 ? unrounded : nil)
            column += groupColumns
        }
    }
}

/// All rows with one group of panels, while what is wanted ahead is brought nearer: in every strip its share of each panel or,
/// where rows are `unrounded`, the next strip's, which are rounded strip by strip. Where pieces are coming too, the first strips
/// bring all of the panels, and the others pieces.
@inline(__always)
private func multiplyGroup(
    _ group: Strip, _ coming: inout ComingReads, rows: Int, pairs: Bool, rounding unrounded: UnroundedRows?
) {
    let strips = (rows + tileHeight - 1) / tileHeight
    let panelStrips = coming.pieceCount > 0 ? min(strips, tileWidth / lineLength) : strips
    var strip = group
    strip.ahead.stride = (tileWidth + panelStrips - 1) / panelStrips
    if strips == 1 { strip.ahead.columns = 0 }
    var index = 0
    var row = 0
    while row < rows {
        let height = nextTileHeight(rows - row)
        strip.following = strip.result + height * strip.resultStride
        if let unrounded {
            roundRows(unrounded, from: row, count: height)
            if strips > 1 { bringNearer(unrounded, from: row + height, in: &strip) }
        }
        // Strips of one and two rows bring nothing.
        if index >= panelStrips && height > 2 { bringPieces(of: &coming, in: &strip) }
        multiplyColumns(strip, height: height, pairs: pairs)
        strip.a += height * strip.rowStride
        strip.result = strip.following
        strip.ahead.panels += strip.depth * strip.ahead.stride
        index += 1
        row += height
    }
}

/// Has a strip bring the rows of the next one nearer: a line in every step below as many panels as that takes.
@inline(__always)
private func bringNearer(_ unrounded: UnroundedRows, from row: Int, in strip: inout Strip) {
    strip.ahead.panels = unrounded.values + row * unrounded.rowStride
    strip.ahead.stride = lineLength
    strip.ahead.panelStride = panelWidth / tileWidth * lineLength * max(1, strip.depth)
    let panels = (tileHeight * unrounded.rowStride + strip.ahead.panelStride - 1) / strip.ahead.panelStride
    strip.ahead.columns = panels * panelWidth
}

/// A strip, whose columns go to the fastest way that there is for so many.
@inline(__always)
private func multiplyColumns(_ strip: Strip, height: Int, pairs: Bool) {
    var strip = strip
    while height == 1 && strip.columns >= 4 * tileWidth {
        multiplyOneRow(strip, pairs: pairs)
        advance(&strip, columns: 4 * tileWidth)
    }
    while height == 2 && strip.columns >= 2 * tileWidth {
        multiplyTwoRows(strip, pairs: pairs)
        advance(&strip, columns: 2 * tileWidth)
    }
    #if KERNELS_AVX512
        let rest = strip.columns % tileWidth
        if rest > 0 && rest <= lanes {
            strip.columns -= rest
            if strip.columns > 0 { multiplyStrip(strip, height: height, pairs: pairs) }
            advance(&strip, columns: strip.columns)
            strip.columns = rest
            multiplyHalfPanel(strip, height: height, pairs: pairs)
            return
        }
    #endif
    if strip.columns > 0 { multiplyStrip(strip, height: height, pairs: pairs) }
}

/// Leaves the first columns out, which are whole panels or, where those are left out, the last of them.
@inline(__always)
private func advance(_ strip: inout Strip, columns: Int) {
    strip.panel += tileOffset(column: columns, strip.panelStride)
    strip.result += columns
    strip.columns -= columns
}
