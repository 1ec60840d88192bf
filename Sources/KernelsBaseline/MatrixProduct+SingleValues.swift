import CSIMD

// Where tiles take no pairs, every strip would take the pairs of its panels apart. Instead the first one leaves them as single
// values, and the others multiply floats.

/// The floats of a group of panels whose pairs are taken apart.
let roomFloats = Int(CSIMD_ROOM)

/// How many lanes of depth a block of such a group takes at most.
let unpackedDepth = roomFloats / (2 * panelWidth)

/// Whether a product of so many rows of pairs has the first strip leave single values for the others, which need not take the
/// pairs apart again.
@inline(__always)
func leavesSingleValues(rows: Int) -> Bool {
    let height = stripHeight(rows)
    return !tilesTakePairs && height == tileHeight && bringsAhead(height: height, of: rows)
}

/// `multiplyBlocks` with room for single values. A function of its own: no other product takes that much of the stack.
@inline(never)
func multiplyInRoom(_ product: Product) {
    var product = product
    withRoom(&product) { multiplyBlocks($0.load(as: Product.self), unpackingTo: $1) }
}

/// The largest strip of pairs, which leaves them as single values in `room`: panels of twice the depth.
@inline(__always)
func multiplyUnpacking(_ strip: Strip, into room: UnsafeMutablePointer<Float>) {
    #if KERNELS_AVX512
        var whole = strip
        whole.columns = columnsOfTiles(strip.columns)
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

/// Leaves a row of a tile in `room`, where there is any, and goes on to the next one.
@inline(__always)
func leaveRow(_ panel: UnsafePointer<Float>, _ room: inout UnsafeMutablePointer<Float>?) {
    guard let row = room else { return }
    unpackRow(loadRow(panel), into: row)
    room = row + 2 * panelWidth
}

/// Has a strip go on with the single values of what it took in pairs.
@inline(__always)
func takeSingleValues(_ strip: inout Strip, from room: UnsafePointer<Float>, strips: Int) {
    strip.panel = room
    strip.depth *= 2
    strip.depthStride = 1
    strip.panelStride = panelWidth * strip.depth
    strip.ahead.stride = shareOfPanel(strip, strips: strips)
}
