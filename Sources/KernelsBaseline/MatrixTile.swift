import CSIMD

/// Columns of a packed panel.
let panelWidth = 32

/// A strip of a product, C (+)= A · panels: up to twelve rows and any number of columns, in tiles of `tileWidth` columns side by
/// side. Each element is one chain over `depth` ascending.
///
/// A lane is a float, or where the function is given `pairs` two bfloat16 values that follow one another in depth; C holds
/// floats. `a` has lane (row, k) at `row * rowStride + k * depthStride`, or where tiles take no pairs the two values as floats,
/// the second first; panels stand `panelStride` apart, their row k at `k * panelWidth`. Where `reloading`, a chain starts from what
/// C holds, else from zero. Only the first `columns` columns of C are touched.
///
/// Meanwhile other memory is brought into the second-level cache. In a tile's first steps, for at once they would hold it up,
/// come the next tile's results, after the last tile those at `following`; in all steps what is `ahead`. Strips of up to four
/// rows leave results to the processor. With AVX-512 strips of eight and twelve rows bring what is ahead where a product has two
/// of them, and all others of three rows and more their own panels; without, strips of four and six rows do the one or the other,
/// and lower ones ask for their own panels.
///
/// It is a tuple, not a structure: one of those would bring metadata with it, whose functions are weak symbols of a
/// common name.
typealias Strip = (
    a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, panelStride: Int,
    depth: Int, result: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    following: UnsafeMutablePointer<Float>, ahead: Ahead
)

/// One tile of a strip: what changes from tile to tile.
typealias Tile = (
    panel: UnsafePointer<Float>, result: UnsafeMutablePointer<Float>, columns: Int, next: UnsafeMutablePointer<Float>,
    ahead: UnsafePointer<Float>, aheadStride: Int
)

/// The rows of the strip to take next where `left` are: the largest, but such that few small ones remain.
@inline(__always)
func nextTileHeight(_ left: Int) -> Int {
    if tileHeight >= 12 && left >= 12 && left != 16 { return 12 }
    if tileHeight >= 8 && left >= 8 { return 8 }
    if tileHeight >= 6 && left >= 6 && left != 8 { return 6 }
    if tileHeight >= 4 && left >= 4 { return 4 }
    return left >= 2 ? 2 : 1
}

/// The rows of a product's strip to take next where `left` are.
@inline(__always)
func stripHeight(_ left: Int) -> Int {
    #if KERNELS_AVX512
        if left <= tileHeight { return left }
        return left == 16 ? 8 : tileHeight
    #else
        return nextTileHeight(left)
    #endif
}

/// Where the tile at `column` of a group of panels starts.
@inline(__always)
func tileOffset(column: Int, _ panelStride: Int) -> Int {
    column / panelWidth * panelStride + column % panelWidth
}

@inline(__always)
func tile(of strip: Strip, at column: Int) -> Tile {
    let panel = strip.panel + tileOffset(column: column, strip.panelStride)
    let result = strip.result + column
    let isLast = column + tileWidth >= strip.columns
    let (ahead, aheadStride) = aheadOfTile(of: strip, at: column)
    return (
        panel, result, min(tileWidth, strip.columns - column), isLast ? strip.following : result + tileWidth,
        ahead, aheadStride
    )
}

// Strips of pairs and of floats are functions of their own: of two such loops in one, the compiler leaves the question which it
// is inside.

/// A strip of `height` rows, one of those that `nextTileHeight` returns.
@inline(__always)
func multiplyStrip(_ strip: Strip, height: Int, pairs: Bool) {
    switch height {
    #if KERNELS_AVX512
        case 12: multiplyStrip12(strip, pairs: pairs)
        case 8: multiplyStrip8(strip, pairs: pairs)
    #endif
    case 6: multiplyStrip6(strip, pairs: pairs)
    case 4: multiplyStrip4(strip, pairs: pairs)
    case 2: multiplyStrip2(strip, pairs: pairs)
    default: multiplyStrip1(strip, pairs: pairs)
    }
}

/// A strip of 1 row: see `Strip`.
@inline(__always)
private func multiplyStrip1(_ strip: Strip, pairs: Bool) {
    if pairs { pairStrip1(strip) } else { floatStrip1(strip) }
}

@inline(never)
private func pairStrip1(_ strip: Strip) { strip1(strip, pairs: true) }

@inline(never)
private func floatStrip1(_ strip: Strip) { strip1(strip, pairs: false) }

@inline(__always)
private func strip1(_ strip: Strip, pairs: Bool) {
    var column = 0
    while column < strip.columns {
        let tile = tile(of: strip, at: column)
        var row = startRow(tile.result, columns: tile.columns, reloading: strip.reloading)
        var a = strip.a
        var panel = tile.panel
        for _ in 0..<strip.depth {
            addLane(a, loadRow(panel), to: &row, pairs: pairs)
            a += strip.depthStride
            panel += panelWidth
        }
        storeRow(row, tile.result, columns: tile.columns)
        column += tileWidth
    }
}

/// A strip of 2 rows: see `Strip`.
@inline(__always)
private func multiplyStrip2(_ strip: Strip, pairs: Bool) {
    if pairs { pairStrip2(strip) } else { floatStrip2(strip) }
}

@inline(never)
private func pairStrip2(_ strip: Strip) { strip2(strip, pairs: true) }

@inline(never)
private func floatStrip2(_ strip: Strip) { strip2(strip, pairs: false) }

@inline(__always)
private func strip2(_ strip: Strip, pairs: Bool) {
    var column = 0
    while column < strip.columns {
        let tile = tile(of: strip, at: column)
        let second = tile.result + strip.resultStride
        var row0 = startRow(tile.result, columns: tile.columns, reloading: strip.reloading)
        var row1 = startRow(second, columns: tile.columns, reloading: strip.reloading)
        var a = strip.a
        var panel = tile.panel
        for _ in 0..<strip.depth {
            let weights = loadRow(panel)
            addLane(a, weights, to: &row0, pairs: pairs)
            addLane(a + strip.rowStride, weights, to: &row1, pairs: pairs)
            a += strip.depthStride
            panel += panelWidth
        }
        storeRow(row0, tile.result, columns: tile.columns)
        storeRow(row1, second, columns: tile.columns)
        column += tileWidth
    }
}

/// A strip of 4 rows: see `Strip`.
@inline(__always)
private func multiplyStrip4(_ strip: Strip, pairs: Bool) {
    if pairs { pairStrip4(strip) } else { floatStrip4(strip) }
}

@inline(never)
private func pairStrip4(_ strip: Strip) { strip4(strip, pairs: true) }

@inline(never)
private func floatStrip4(_ strip: Strip) { strip4(strip, pairs: false) }

@inline(__always)
private func strip4(_ strip: Strip, pairs: Bool) {
    let offsets = rowOffsets(strip.rowStride)
    let results = rowOffsets(strip.resultStride)
    var column = 0
    while column < strip.columns {
        let tile = tile(of: strip, at: column)
        var rows = startFour(tile.result, results, columns: tile.columns, reloading: strip.reloading)
        var a = strip.a
        var panel = tile.panel
        var ahead = tile.ahead
        for _ in 0..<strip.depth {
            addFour(a, offsets, loadRow(panel), to: &rows, pairs: pairs)
            prefetch(ahead)
            ahead += tile.aheadStride
            a = opaque(a + strip.depthStride)
            panel += panelWidth
        }
        storeFour(rows, tile.result, results, columns: tile.columns)
        column += tileWidth
    }
}
