import CSIMD

/// Columns of a packed panel.
let panelWidth = 32

/// The rows of the tile to take next where `left` are: the largest, but such that few small ones remain.
@inline(__always)
func tileHeight(_ left: Int) -> Int {
    if TileRow.height >= 12 && left >= 12 && left != 16 { return 12 }
    if TileRow.height >= 8 && left >= 8 { return 8 }
    if TileRow.height >= 6 && left >= 6 && left != 8 { return 6 }
    if TileRow.height >= 4 && left >= 4 { return 4 }
    return left >= 2 ? 2 : 1
}

/// Brings the lines of a tile of results into the first-level cache.
@inline(__always)
private func prefetchRows(_ c: UnsafeMutablePointer<Float>, _ stride: Int, _ rows: Int) {
    for row in 0..<rows {
        prefetchForWriting(c + row * stride)
        prefetchForWriting(c + row * stride + TileRow.width - 1)
    }
}

/// A tile of `height` rows, one of those `tileHeight` returns: see `multiplyTile1`.
@inline(__always)
func multiplyTile(
    height: Int, _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>,
    ahead: UnsafePointer<Float>, aheadStride: Int
) {
    switch height {
    case 12:
        multiplyTile12(
            a, rowStride: rowStride, depthStride: depthStride, panel: panel, depth: depth, into: c,
            resultStride: resultStride, columns: columns, reloading: reloading, next: next, ahead: ahead,
            aheadStride: aheadStride)
    case 8:
        multiplyTile8(
            a, rowStride: rowStride, depthStride: depthStride, panel: panel, depth: depth, into: c,
            resultStride: resultStride, columns: columns, reloading: reloading, next: next, ahead: ahead,
            aheadStride: aheadStride)
    case 6:
        multiplyTile6(
            a, rowStride: rowStride, depthStride: depthStride, panel: panel, depth: depth, into: c,
            resultStride: resultStride, columns: columns, reloading: reloading, next: next, ahead: ahead,
            aheadStride: aheadStride)
    case 4:
        multiplyTile4(
            a, rowStride: rowStride, depthStride: depthStride, panel: panel, depth: depth, into: c,
            resultStride: resultStride, columns: columns, reloading: reloading, next: next, ahead: ahead,
            aheadStride: aheadStride)
    case 2:
        multiplyTile2(
            a, rowStride: rowStride, depthStride: depthStride, panel: panel, depth: depth, into: c,
            resultStride: resultStride, columns: columns, reloading: reloading, next: next, ahead: ahead,
            aheadStride: aheadStride)
    default:
        multiplyTile1(
            a, rowStride: rowStride, depthStride: depthStride, panel: panel, depth: depth, into: c,
            resultStride: resultStride, columns: columns, reloading: reloading, next: next, ahead: ahead,
            aheadStride: aheadStride)
    }
}

/// A tile of one row and `TileRow.width` columns: result = a · panel, or += where `reloading`; each element is one chain over
/// `depth` ascending.
///
/// `a` has element (row, k) at `row * rowStride + k * depthStride`; the panel's row k starts at `k * panelWidth`. Meanwhile
/// the tile of results at `next` is brought into the first-level cache, and `ahead`, advanced by `aheadStride` with k, into the second.
@inline(never)
func multiplyTile1(
    _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>,
    ahead: UnsafePointer<Float>, aheadStride: Int
) {
    var row0 = TileRow(c, columns: columns, reloading: reloading)
    var a = a
    var panel = panel
    for _ in 0..<depth {
        let weights = TileRow(panel)
        row0.add(a[0], weights)
        a += depthStride
        panel += panelWidth
    }
    row0.write(c, columns: columns)
}

/// A tile of 2 rows: see `multiplyTile1`.
@inline(never)
func multiplyTile2(
    _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>,
    ahead: UnsafePointer<Float>, aheadStride: Int
) {
    var row0 = TileRow(c, columns: columns, reloading: reloading)
    var row1 = TileRow(c + resultStride, columns: columns, reloading: reloading)
    var a = a
    var panel = panel
    for _ in 0..<depth {
        let weights = TileRow(panel)
        row0.add(a[0], weights)
        row1.add(a[rowStride], weights)
        a += depthStride
        panel += panelWidth
    }
    row0.write(c, columns: columns)
    row1.write(c + resultStride, columns: columns)
}

/// A tile of 4 rows: see `multiplyTile1`.
@inline(never)
func multiplyTile4(
    _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>,
    ahead: UnsafePointer<Float>, aheadStride: Int
) {
    var row0 = TileRow(c, columns: columns, reloading: reloading)
    var row1 = TileRow(c + resultStride, columns: columns, reloading: reloading)
    var row2 = TileRow(c + 2 * resultStride, columns: columns, reloading: reloading)
    var row3 = TileRow(c + 3 * resultStride, columns: columns, reloading: reloading)
    var a = a
    var panel = panel
    var ahead = ahead
    for _ in 0..<depth {
        let weights = TileRow(panel)
        row0.add(a[0], weights)
        row1.add(a[rowStride], weights)
        row2.add(a[2 * rowStride], weights)
        row3.add(a[3 * rowStride], weights)
        prefetch(ahead)
        ahead += aheadStride
        a += depthStride
        panel += panelWidth
    }
    row0.write(c, columns: columns)
    row1.write(c + resultStride, columns: columns)
    row2.write(c + 2 * resultStride, columns: columns)
    row3.write(c + 3 * resultStride, columns: columns)
}

/// A tile of 6 rows: see `multiplyTile1`.
@inline(never)
func multiplyTile6(
    _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>,
    ahead: UnsafePointer<Float>, aheadStride: Int
) {
    prefetchRows(next, resultStride, 6)
    var row0 = TileRow(c, columns: columns, reloading: reloading)
    var row1 = TileRow(c + resultStride, columns: columns, reloading: reloading)
    var row2 = TileRow(c + 2 * resultStride, columns: columns, reloading: reloading)
    var row3 = TileRow(c + 3 * resultStride, columns: columns, reloading: reloading)
    var row4 = TileRow(c + 4 * resultStride, columns: columns, reloading: reloading)
    var row5 = TileRow(c + 5 * resultStride, columns: columns, reloading: reloading)
    var a = a
    var panel = panel
    var ahead = ahead
    for _ in 0..<depth {
        let weights = TileRow(panel)
        row0.add(a[0], weights)
        row1.add(a[rowStride], weights)
        row2.add(a[2 * rowStride], weights)
        row3.add(a[3 * rowStride], weights)
        row4.add(a[4 * rowStride], weights)
        row5.add(a[5 * rowStride], weights)
        prefetch(ahead)
        ahead += aheadStride
        a += depthStride
        panel += panelWidth
    }
    row0.write(c, columns: columns)
    row1.write(c + resultStride, columns: columns)
    row2.write(c + 2 * resultStride, columns: columns)
    row3.write(c + 3 * resultStride, columns: columns)
    row4.write(c + 4 * resultStride, columns: columns)
    row5.write(c + 5 * resultStride, columns: columns)
}

/// A tile of 8 rows: see `multiplyTile1`.
@inline(never)
func multiplyTile8(
    _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>,
    ahead: UnsafePointer<Float>, aheadStride: Int
) {
    prefetchRows(next, resultStride, 8)
    var row0 = TileRow(c, columns: columns, reloading: reloading)
    var row1 = TileRow(c + resultStride, columns: columns, reloading: reloading)
    var row2 = TileRow(c + 2 * resultStride, columns: columns, reloading: reloading)
    var row3 = TileRow(c + 3 * resultStride, columns: columns, reloading: reloading)
    var row4 = TileRow(c + 4 * resultStride, columns: columns, reloading: reloading)
    var row5 = TileRow(c + 5 * resultStride, columns: columns, reloading: reloading)
    var row6 = TileRow(c + 6 * resultStride, columns: columns, reloading: reloading)
    var row7 = TileRow(c + 7 * resultStride, columns: columns, reloading: reloading)
    var a = a
    var panel = panel
    var ahead = ahead
    for _ in 0..<depth {
        let weights = TileRow(panel)
        row0.add(a[0], weights)
        row1.add(a[rowStride], weights)
        row2.add(a[2 * rowStride], weights)
        row3.add(a[3 * rowStride], weights)
        row4.add(a[4 * rowStride], weights)
        row5.add(a[5 * rowStride], weights)
        row6.add(a[6 * rowStride], weights)
        row7.add(a[7 * rowStride], weights)
        prefetch(ahead)
        ahead += aheadStride
        a += depthStride
        panel += panelWidth
    }
    row0.write(c, columns: columns)
    row1.write(c + resultStride, columns: columns)
    row2.write(c + 2 * resultStride, columns: columns)
    row3.write(c + 3 * resultStride, columns: columns)
    row4.write(c + 4 * resultStride, columns: columns)
    row5.write(c + 5 * resultStride, columns: columns)
    row6.write(c + 6 * resultStride, columns: columns)
    row7.write(c + 7 * resultStride, columns: columns)
}

/// A tile of 12 rows: see `multiplyTile1`.
@inline(never)
func multiplyTile12(
    _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>,
    ahead: UnsafePointer<Float>, aheadStride: Int
) {
    prefetchRows(next, resultStride, 12)
    var row0 = TileRow(c, columns: columns, reloading: reloading)
    var row1 = TileRow(c + resultStride, columns: columns, reloading: reloading)
    var row2 = TileRow(c + 2 * resultStride, columns: columns, reloading: reloading)
    var row3 = TileRow(c + 3 * resultStride, columns: columns, reloading: reloading)
    var row4 = TileRow(c + 4 * resultStride, columns: columns, reloading: reloading)
    var row5 = TileRow(c + 5 * resultStride, columns: columns, reloading: reloading)
    var row6 = TileRow(c + 6 * resultStride, columns: columns, reloading: reloading)
    var row7 = TileRow(c + 7 * resultStride, columns: columns, reloading: reloading)
    var row8 = TileRow(c + 8 * resultStride, columns: columns, reloading: reloading)
    var row9 = TileRow(c + 9 * resultStride, columns: columns, reloading: reloading)
    var row10 = TileRow(c + 10 * resultStride, columns: columns, reloading: reloading)
    var row11 = TileRow(c + 11 * resultStride, columns: columns, reloading: reloading)
    var a = a
    var panel = panel
    var ahead = ahead
    for _ in 0..<depth {
        let weights = TileRow(panel)
        row0.add(a[0], weights)
        row1.add(a[rowStride], weights)
        row2.add(a[2 * rowStride], weights)
        row3.add(a[3 * rowStride], weights)
        row4.add(a[4 * rowStride], weights)
        row5.add(a[5 * rowStride], weights)
        row6.add(a[6 * rowStride], weights)
        row7.add(a[7 * rowStride], weights)
        row8.add(a[8 * rowStride], weights)
        row9.add(a[9 * rowStride], weights)
        row10.add(a[10 * rowStride], weights)
        row11.add(a[11 * rowStride], weights)
        prefetch(ahead)
        ahead += aheadStride
        a += depthStride
        panel += panelWidth
    }
    row0.write(c, columns: columns)
    row1.write(c + resultStride, columns: columns)
    row2.write(c + 2 * resultStride, columns: columns)
    row3.write(c + 3 * resultStride, columns: columns)
    row4.write(c + 4 * resultStride, columns: columns)
    row5.write(c + 5 * resultStride, columns: columns)
    row6.write(c + 6 * resultStride, columns: columns)
    row7.write(c + 7 * resultStride, columns: columns)
    row8.write(c + 8 * resultStride, columns: columns)
    row9.write(c + 9 * resultStride, columns: columns)
    row10.write(c + 10 * resultStride, columns: columns)
    row11.write(c + 11 * resultStride, columns: columns)
}
