/// How many lanes of depth a block takes at most: a tile's rows of A and its panel then stay in the second-level cache, from
/// where reading keeps pace. Smaller blocks cost more, in results that are loaded and stored again.
let depthBlock = 2560

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
    let product: Product = (
        a, rows, rowStride, packed, outputs, depth, c, resultStride, accumulating, coming, pairs, unrounded
    )
    if pairs && leavesSingleValues(rows: rows) {
        multiplyInRoom(product)
    } else {
        multiplyBlocks(product, unpackingTo: nil)
    }
}

/// What `multiplyLanes` takes.
typealias Product = (
    a: UnsafePointer<Float>, rows: Int, rowStride: Int, packed: UnsafePointer<Float>, outputs: Int, depth: Int,
    c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool, coming: ComingReads, pairs: Bool,
    unrounded: UnroundedRows?
)

/// All blocks of depth, group by group of panels. Where there is `room`, it takes the single values of a group's pairs.
@inline(never)
func multiplyBlocks(_ product: Product, unpackingTo room: UnsafeMutablePointer<Float>?) {
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
    let groupPanels = max(bringing == 0 ? 2 : 1, largestGroup / panelFloats)
    let groupColumns = rows == stripHeight(rows) ? outputs : groupPanels * panelWidth
    let panelStride = panelWidth * depth
    for block in 0..<blocks {
        let firstDepth = block * blockDepth
        let groupDepth = min(blockDepth, depth - firstDepth)
        let panels = packed + firstDepth * panelWidth
        var column = 0
        while column < outputs {
            var group: Strip = (
                a: a + firstDepth * lanesOfPair, rowStride: rowStride, depthStride: lanesOfPair,
                panel: panels + column * depth, panelStride: panelStride, depth: groupDepth,
                result: c + column, resultStride: resultStride, columns: min(groupColumns, outputs - column),
                reloading: accumulating || block > 0, following: c,
                ahead: (
                    packed, panelStride, depth: groupDepth, columns: 0, stride: 0, pieces: nil, pieceCount: 0,
                    pieceOffset: 0, isOwn: false
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
                rounding: block == 0 && column == 0 ? unrounded : nil, unpackingTo: room)
            column += groupColumns
        }
    }
}

/// Whether a strip of the product of so many rows brings near what is `ahead`; others bring their own panels, or nothing.
@inline(__always)
func bringsAhead(height: Int, of rows: Int) -> Bool {
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
func shareOfPanel(_ strip: Strip, strips: Int) -> Int {
    let steps = max(1, strips * strip.depth)
    return (tileWidth * strip.ahead.depth + steps - 1) / steps
}
