import CSIMD

/// Columns of a packed panel.
let panelWidth = 32

/// One tile of a product, C (+)= A · panel: up to twelve rows and `tileWidth` columns, each element one chain over
/// `depth` ascending.
///
/// A lane is a float, or where the function is given `pairs` two bfloat16 values that follow one another in depth; C holds
/// floats. `a` has lane (row, k) at `row * rowStride + k * depthStride`; the panel's row k starts at `k * panelWidth`.
/// Where `reloading`, a chain starts from what C holds, else from zero. Only the first `columns` columns of C are
/// touched. Meanwhile the tile of results at `next`, and `ahead`, advanced by `aheadStride` with k, are brought into the
/// second-level cache; tiles of few rows leave both to the processor.
///
/// It is a tuple, not a structure: one of those would bring metadata with it, whose functions are weak symbols of a
/// common name.
typealias Tile = (
    a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    result: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>, ahead: UnsafePointer<Float>, aheadStride: Int
)

/// The rows of the tile to take next where `left` are: the largest, but such that few small ones remain.
@inline(__always)
func nextTileHeight(_ left: Int) -> Int {
    if tileHeight >= 12 && left >= 12 && left != 16 { return 12 }
    if tileHeight >= 8 && left >= 8 { return 8 }
    if tileHeight >= 6 && left >= 6 && left != 8 { return 6 }
    if tileHeight >= 4 && left >= 4 { return 4 }
    return left >= 2 ? 2 : 1
}

/// Brings the lines of the next tile of results near: not into the first-level cache, where they would take the place of what
/// the tile reads.
@inline(__always)
func prefetchRows(_ tile: Tile, _ rows: Int) {
    for row in 0..<rows {
        prefetch(tile.next + row * tile.resultStride)
        prefetch(tile.next + row * tile.resultStride + tileWidth - 1)
    }
}

/// A tile of `height` rows, one of those that `nextTileHeight` returns.
@inline(__always)
func multiplyTile(_ tile: Tile, height: Int, pairs: Bool) {
    switch height {
    #if KERNELS_AVX512
        case 12: multiplyTile12(tile, pairs: pairs)
        case 8: multiplyTile8(tile, pairs: pairs)
    #endif
    case 6: multiplyTile6(tile, pairs: pairs)
    case 4: multiplyTile4(tile, pairs: pairs)
    case 2: multiplyTile2(tile, pairs: pairs)
    default: multiplyTile1(tile, pairs: pairs)
    }
}

/// A tile of 1 row and `tileWidth` columns: see `Tile`.
@inline(never)
func multiplyTile1(_ tile: Tile, pairs: Bool) {
    if pairs { chain1(tile, pairs: true) } else { chain1(tile, pairs: false) }
}

@inline(__always)
private func chain1(_ tile: Tile, pairs: Bool) {
    var row0 = startRow(tile, 0)
    var a = tile.a
    var panel = tile.panel
    for _ in 0..<tile.depth {
        let weights = loadRow(panel)
        addRow(a[0], weights, to: &row0, pairs: pairs)
        a += tile.depthStride
        panel += panelWidth
    }
    storeRow(row0, tile, 0)
}

/// A tile of 2 rows and `tileWidth` columns: see `Tile`.
@inline(never)
func multiplyTile2(_ tile: Tile, pairs: Bool) {
    if pairs { chain2(tile, pairs: true) } else { chain2(tile, pairs: false) }
}

@inline(__always)
private func chain2(_ tile: Tile, pairs: Bool) {
    var row0 = startRow(tile, 0)
    var row1 = startRow(tile, 1)
    var a = tile.a
    var panel = tile.panel
    for _ in 0..<tile.depth {
        let weights = loadRow(panel)
        addRow(a[0], weights, to: &row0, pairs: pairs)
        addRow(a[tile.rowStride], weights, to: &row1, pairs: pairs)
        a += tile.depthStride
        panel += panelWidth
    }
    storeRow(row0, tile, 0)
    storeRow(row1, tile, 1)
}

/// A tile of 4 rows and `tileWidth` columns: see `Tile`.
@inline(never)
func multiplyTile4(_ tile: Tile, pairs: Bool) {
    if pairs { chain4(tile, pairs: true) } else { chain4(tile, pairs: false) }
}

@inline(__always)
private func chain4(_ tile: Tile, pairs: Bool) {
    var rows = startFour(tile, 0)
    let offsets = rowOffsets(tile.rowStride)
    var a = tile.a
    var panel = tile.panel
    var ahead = tile.ahead
    for _ in 0..<tile.depth {
        addFour(a, offsets, loadRow(panel), to: &rows, pairs: pairs)
        prefetch(ahead)
        ahead += tile.aheadStride
        a = opaque(a + tile.depthStride)
        panel += panelWidth
    }
    storeFour(rows, tile, 0)
}

/// A tile of 6 rows and `tileWidth` columns: see `Tile`.
@inline(never)
func multiplyTile6(_ tile: Tile, pairs: Bool) {
    if pairs { chain6(tile, pairs: true) } else { chain6(tile, pairs: false) }
}

@inline(__always)
private func chain6(_ tile: Tile, pairs: Bool) {
    prefetchRows(tile, 6)
    var rows = startFour(tile, 0)
    var row4 = startRow(tile, 4)
    var row5 = startRow(tile, 5)
    let offsets = rowOffsets(tile.rowStride)
    var a = tile.a
    var a4 = a + 4 * tile.rowStride
    var panel = tile.panel
    var ahead = tile.ahead
    for _ in 0..<tile.depth {
        let weights = loadRow(panel)
        addFour(a, offsets, weights, to: &rows, pairs: pairs)
        addRow(a4[0], weights, to: &row4, pairs: pairs)
        addRow(a4[offsets.one], weights, to: &row5, pairs: pairs)
        prefetch(ahead)
        ahead += tile.aheadStride
        a = opaque(a + tile.depthStride)
        a4 = opaque(a4 + tile.depthStride)
        panel += panelWidth
    }
    storeFour(rows, tile, 0)
    storeRow(row4, tile, 4)
    storeRow(row5, tile, 5)
}
