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
/// rows make strips that bring it, see `bringsAhead`, the next group of panels and what is `coming` are brought into the
/// second-level cache meanwhile.
@inline(never)
func multiplyLanes(
    _ a: UnsafePointer<Float>, rows: Int, rowStride: Int, packed: UnsafePointer<Float>, outputs: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool, coming: ComingReads, pairs: Bool,
    rounding unrounded: UnroundedRows?
) {
    var coming = coming
    let bringing = bringingStrips(rows)
    let blocks = rows <= tileHeight ? 1 : max(1, (depth + depthBlock - 1) / depthBlock)
    let blockDepth = (depth + blocks - 1) / blocks
    // A single strip reads every panel once: groups would serve nothing. Low strips take two panels at once.
    let groupPanels = max(bringing == 0 ? 2 : 1, groupFloats(rows: rows) / (panelWidth * max(1, blockDepth)))
    let groupColumns = rows == stripHeight(rows) ? outputs : groupPanels * panelWidth
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
                ahead: (
                    packed, panelStride, columns: 0, stride: 0, pieces: nil, pieceCount: 0, pieceOffset: 0, isOwn: false
                )
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
                group, &coming, rows: rows, bringing: bringing, pairs: pairs,
                rounding: block == 0 && column == 0 ? unrounded : nil)
            column += groupColumns
        }
    }
}

/// Whether a strip of the product of so many rows brings near what is `ahead`; others bring their own panels, or nothing.
@inline(__always)
private func bringsAhead(height: Int, of rows: Int) -> Bool {
    #if KERNELS_AVX512
        // Two at least: a line a step each is a row of a panel.
        (rows == 16 || rows == 20 || rows >= 24) && (height == 8 || height == tileHeight)
    #else
        rows > height && height > 2
    #endif
}

@inline(__always)
private func bringingStrips(_ rows: Int) -> Int {
    var count = 0
    var row = 0
    while row < rows {
        let height = stripHeight(rows - row)
        if bringsAhead(height: height, of: rows) { count += 1 }
        row += height
    }
    return count
}

/// All rows with one group of panels, while what is wanted ahead is brought nearer: in every one of the strips `bringing` it its
/// share of each panel or, where rows are `unrounded`, the next strip's, which are rounded strip by strip. Where pieces are
/// coming too, the first strips bring all of the panels, and the others pieces.
@inline(__always)
private func multiplyGroup(
    _ group: Strip, _ coming: inout ComingReads, rows: Int, bringing: Int, pairs: Bool,
    rounding unrounded: UnroundedRows?
) {
    let panelStrips = coming.pieceCount > 0 ? min(bringing, tileWidth / lineLength) : bringing
    var strip = group
    strip.ahead.stride = bringing == 0 ? 0 : (tileWidth + panelStrips - 1) / panelStrips
    var index = 0
    var row = 0
    while row < rows {
        let height = stripHeight(rows - row)
        strip.following = strip.result + height * strip.resultStride
        if let unrounded {
            roundRows(unrounded, from: row, count: height)
            if bringing > 0 { bringNearer(unrounded, from: row + height, in: &strip) }
        }
        if bringsAhead(height: height, of: rows) {
            if index >= panelStrips { bringPieces(of: &coming, in: &strip) }
            multiplyColumns(strip, height: height, pairs: pairs)
            strip.ahead.panels += strip.depth * strip.ahead.stride
            index += 1
        } else {
            multiplyAlone(strip, height: height, pairs: pairs)
        }
        strip.a += height * strip.rowStride
        strip.result = strip.following
        row += height
    }
}

/// A strip that brings nothing ahead.
@inline(__always)
private func multiplyAlone(_ strip: Strip, height: Int, pairs: Bool) {
    var strip = strip
    strip.ahead.columns = 0
    strip.ahead.pieces = nil
    strip.ahead.isOwn = true
    #if KERNELS_AVX512
        guard height > 2 else { return multiplyColumns(strip, height: height, pairs: pairs) }
        var whole = strip
        whole.columns -= strip.columns % (height <= twoTilesHeight ? 2 * tileWidth : tileWidth)
        multiplyAskingForPanels(whole, height: height, pairs: pairs)
        advance(&strip, columns: whole.columns)
        multiplyRest(strip, height: height, pairs: pairs)
    #else
        multiplyColumns(strip, height: height, pairs: pairs)
    #endif
}

#if KERNELS_AVX512
    /// The last columns of a strip of any height.
    @inline(never)
    private func multiplyRest(_ rest: Strip, height: Int, pairs: Bool) {
        guard rest.columns > 0 else { return }
        var strip = rest
        var left = height
        while left > 0 {
            let height = nextTileHeight(left)
            multiplyColumns(strip, height: height, pairs: pairs)
            strip.a += height * strip.rowStride
            strip.result += height * strip.resultStride
            left -= height
        }
    }
#endif

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
    while height == 1 && strip.columns >= oneRowColumns {
        multiplyOneRow(strip, pairs: pairs)
        advance(&strip, columns: oneRowColumns)
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
