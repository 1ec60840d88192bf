import CSIMD

/// How many lanes of depth a block takes at most: a tile's rows of A and its panel then stay in the second-level cache, from
/// where reading keeps pace. Smaller blocks cost more, in results that are loaded and stored again.
let depthBlock = 2560

/// The floats of a group of panels whose pairs are taken apart.
private let roomFloats = Int(CSIMD_ROOM)

/// How many lanes of depth a block of such a group takes at most.
let unpackedDepth = roomFloats / (2 * panelWidth)

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
    var product: Product = (
        a, rows, rowStride, packed, outputs, depth, c, resultStride, accumulating, coming, pairs, unrounded
    )
    if pairs && leavesSingleValues(rows: rows) {
        withRoom(&product) { multiplyBlocks($0.load(as: Product.self), unpackingTo: $1) }
    } else {
        multiplyBlocks(product, unpackingTo: nil)
    }
}

/// What `multiplyLanes` takes.
private typealias Product = (
    a: UnsafePointer<Float>, rows: Int, rowStride: Int, packed: UnsafePointer<Float>, outputs: Int, depth: Int,
    c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool, coming: ComingReads, pairs: Bool,
    unrounded: UnroundedRows?
)

/// Whether a product of so many rows of pairs has the first strip leave single values for the others, which need not take the
/// pairs apart again.
@inline(__always)
private func leavesSingleValues(rows: Int) -> Bool {
    let height = stripHeight(rows)
    return !tilesTakePairs && height == tileHeight && bringsAhead(height: height, of: rows)
}

/// All blocks of depth, group by group of panels. Where there is `room`, it takes the single values of a group's pairs.
@inline(never)
private func multiplyBlocks(_ product: Product, unpackingTo room: UnsafeMutablePointer<Float>?) {
    let (a, rows, rowStride, packed, outputs, depth, c, resultStride, accumulating, _, pairs, unrounded) = product
    var coming = product.coming
    let lanesOfPair = pairs && !tilesTakePairs ? 2 : 1
    let bringing = bringingStrips(rows)
    let deepest = room == nil ? depthBlock : unpackedDepth
    let blocks = rows <= tileHeight ? 1 : max(1, (depth + deepest - 1) / deepest)
    let blockDepth = (depth + blocks - 1) / blocks
    // A single strip reads every panel once: groups would serve nothing. Low strips take two panels at once.
    let panelFloats = panelWidth * max(1, blockDepth) * (room == nil ? 1 : 2)
    let largestGroup = room == nil ? groupFloats(rows: rows) : min(roomFloats, groupFloats(rows: rows))
    let groupPanels = max(bringing == 0 && room == nil ? 2 : 1, largestGroup / panelFloats)
    let groupColumns = rows == stripHeight(rows) ? outputs : groupPanels * panelWidth
    let panelStride = panelWidth * depth
    for block in 0..<blocks {
        let firstDepth = block * blockDepth
        let panels = packed + firstDepth * panelWidth
        var column = 0
        while column < outputs {
            var group: Strip = (
                a: a + firstDepth * lanesOfPair, rowStride: rowStride, depthStride: lanesOfPair,
                panel: panels + column * depth, panelStride: panelStride, depth: min(blockDepth, depth - firstDepth),
                result: c + column, resultStride: resultStride, columns: min(groupColumns, outputs - column),
                reloading: accumulating || block > 0, following: c,
                ahead: (
                    packed, panelStride, depth: 0, columns: 0, stride: 0, pieces: nil, pieceCount: 0, pieceOffset: 0,
                    isOwn: false
                )
            )
            group.ahead.depth = group.depth
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
                rounding: block == 0 && column == 0 ? unrounded : nil, unpackingTo: room)
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
/// coming too, the first strips bring all of the panels, and the others pieces. Where there is `room`, the first strip leaves
/// single values there, which the others take.
@inline(__always)
private func multiplyGroup(
    _ group: Strip, _ coming: inout ComingReads, rows: Int, bringing: Int, pairs: Bool,
    rounding unrounded: UnroundedRows?, unpackingTo room: UnsafeMutablePointer<Float>?
) {
    var pairs = pairs
    let panelStrips = coming.pieceCount > 0 ? min(bringing, tileWidth / lineLength) : bringing
    var strip = group
    strip.ahead.stride = shareOfPanel(strip, strips: panelStrips)
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
            if let room, row == 0 {
                multiplyUnpacking(strip, into: room)
                strip.ahead.panels += strip.depth * strip.ahead.stride
                takeSingleValues(&strip, from: room, strips: panelStrips)
                pairs = false
            } else {
                multiplyColumns(strip, height: height, pairs: pairs)
                strip.ahead.panels += strip.depth * strip.ahead.stride
            }
            index += 1
        } else {
            multiplyAlone(strip, height: height, pairs: pairs)
        }
        strip.a += height * strip.rowStride
        strip.result = strip.following
        row += height
    }
}

/// The floats by which a step moves on in a panel that so many strips bring near.
@inline(__always)
private func shareOfPanel(_ strip: Strip, strips: Int) -> Int {
    let steps = max(1, strips * strip.depth)
    return (tileWidth * strip.ahead.depth + steps - 1) / steps
}

/// The largest strip of pairs, which leaves them as single values in `room`: panels of twice the depth.
@inline(__always)
private func multiplyUnpacking(_ strip: Strip, into room: UnsafeMutablePointer<Float>) {
    #if KERNELS_AVX512
        var whole = strip
        let rest = strip.columns % tileWidth
        whole.columns -= rest <= lanes ? rest : 0
        if whole.columns > 0 { unpackingStrip(whole, into: room) }
        guard whole.columns < strip.columns else { return }
        var last = strip
        advance(&last, columns: whole.columns)
        unpackPanel(last, into: room + tileOffset(column: whole.columns, 2 * panelWidth * strip.depth))
        multiplyHalfPanel(last, height: tileHeight, pairs: true)
    #else
        unpackingStrip(strip, into: room)
    #endif
}

#if KERNELS_AVX512
    @inline(__always)
    private func unpackPanel(_ strip: Strip, into room: UnsafeMutablePointer<Float>) {
        for k in 0..<strip.depth {
            unpackRow(loadRow(strip.panel + k * panelWidth), into: room + k * 2 * panelWidth)
        }
    }
#endif

/// The pairs of a row of a tile as two rows of single values, the second of each pair first.
@inline(__always)
func unpackRow(_ pairs: TileRow, into room: UnsafeMutablePointer<Float>) {
    storeRow(highValues(pairs), room, columns: tileWidth)
    storeRow(lowValues(pairs), room + panelWidth, columns: tileWidth)
}

/// Has a strip go on with the single values of what it took in pairs.
@inline(__always)
private func takeSingleValues(_ strip: inout Strip, from room: UnsafePointer<Float>, strips: Int) {
    strip.panel = room
    strip.depth *= 2
    strip.depthStride = 1
    strip.panelStride = panelWidth * strip.depth
    strip.ahead.stride = shareOfPanel(strip, strips: strips)
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
    strip.ahead.depth = strip.depth
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
