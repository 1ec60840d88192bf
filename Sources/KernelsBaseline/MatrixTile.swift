import CSIMD

/// Columns of a packed panel.
let panelWidth = 32

/// The rows of the tile to take next where `left` are: the largest, but such that few small ones remain.
@inline(__always)
func nextTileHeight(_ left: Int) -> Int {
    if tileHeight >= 12 && left >= 12 && left != 16 { return 12 }
    if tileHeight >= 8 && left >= 8 { return 8 }
    if tileHeight >= 6 && left >= 6 && left != 8 { return 6 }
    if tileHeight >= 4 && left >= 4 { return 4 }
    return left >= 2 ? 2 : 1
}

/// Brings the lines of a tile of results into the first-level cache.
@inline(__always)
private func prefetchRows(_ c: UnsafeMutablePointer<Float>, _ stride: Int, _ rows: Int) {
    for row in 0..<rows {
        prefetchForWriting(c + row * stride)
        prefetchForWriting(c + row * stride + tileWidth - 1)
    }
}

/// A tile of `height` rows, one of those `nextTileHeight` returns: see `multiplyTile1`.
@inline(__always)
func multiplyTile(
    height: Int, _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>, ahead: UnsafePointer<Float>, aheadStride: Int
) {
    switch height {
    #if KERNELS_AVX512
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
    #endif
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

/// A tile of one row and `tileWidth` columns: result = a · panel, or += where `reloading`; each element is one chain
/// over `depth` ascending.
///
/// `a` has element (row, k) at `row * rowStride + k * depthStride`; the panel's row k starts at `k * panelWidth`.
/// Meanwhile the tile of results at `next` is brought into the first-level cache, and `ahead`, advanced by
/// `aheadStride` with k, into the second; tiles of few rows leave both to the processor.
@inline(never)
func multiplyTile1(
    _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>, ahead: UnsafePointer<Float>, aheadStride: Int
) {
    var row0 = startRow(c, columns: columns, reloading: reloading)
    var a = a
    var panel = panel
    for _ in 0..<depth {
        let weights = loadRow(panel)
        addRow(a[0], weights, to: &row0)
        a += depthStride
        panel += panelWidth
    }
    storeRow(row0, c, columns: columns)
}

/// A tile of 2 rows: see `multiplyTile1`.
@inline(never)
func multiplyTile2(
    _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>, ahead: UnsafePointer<Float>, aheadStride: Int
) {
    var row0 = startRow(c, columns: columns, reloading: reloading)
    var row1 = startRow(c + resultStride, columns: columns, reloading: reloading)
    var a = a
    var panel = panel
    for _ in 0..<depth {
        let weights = loadRow(panel)
        addRow(a[0], weights, to: &row0)
        addRow(a[rowStride], weights, to: &row1)
        a += depthStride
        panel += panelWidth
    }
    storeRow(row0, c, columns: columns)
    storeRow(row1, c + resultStride, columns: columns)
}

/// A tile of 4 rows: see `multiplyTile1`.
@inline(never)
func multiplyTile4(
    _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>, ahead: UnsafePointer<Float>, aheadStride: Int
) {
    var row0 = startRow(c, columns: columns, reloading: reloading)
    var row1 = startRow(c + resultStride, columns: columns, reloading: reloading)
    var row2 = startRow(c + 2 * resultStride, columns: columns, reloading: reloading)
    var row3 = startRow(c + 3 * resultStride, columns: columns, reloading: reloading)
    var a = a
    var panel = panel
    var ahead = ahead
    for _ in 0..<depth {
        let weights = loadRow(panel)
        addRow(a[0], weights, to: &row0)
        addRow(a[rowStride], weights, to: &row1)
        addRow(a[2 * rowStride], weights, to: &row2)
        addRow(a[3 * rowStride], weights, to: &row3)
        prefetch(ahead)
        ahead += aheadStride
        a += depthStride
        panel += panelWidth
    }
    storeRow(row0, c, columns: columns)
    storeRow(row1, c + resultStride, columns: columns)
    storeRow(row2, c + 2 * resultStride, columns: columns)
    storeRow(row3, c + 3 * resultStride, columns: columns)
}

/// A tile of 6 rows: see `multiplyTile1`.
@inline(never)
func multiplyTile6(
    _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
    next: UnsafeMutablePointer<Float>, ahead: UnsafePointer<Float>, aheadStride: Int
) {
    prefetchRows(next, resultStride, 6)
    var row0 = startRow(c, columns: columns, reloading: reloading)
    var row1 = startRow(c + resultStride, columns: columns, reloading: reloading)
    var row2 = startRow(c + 2 * resultStride, columns: columns, reloading: reloading)
    var row3 = startRow(c + 3 * resultStride, columns: columns, reloading: reloading)
    var row4 = startRow(c + 4 * resultStride, columns: columns, reloading: reloading)
    var row5 = startRow(c + 5 * resultStride, columns: columns, reloading: reloading)
    var a = a
    var panel = panel
    var ahead = ahead
    for _ in 0..<depth {
        let weights = loadRow(panel)
        addRow(a[0], weights, to: &row0)
        addRow(a[rowStride], weights, to: &row1)
        addRow(a[2 * rowStride], weights, to: &row2)
        addRow(a[3 * rowStride], weights, to: &row3)
        addRow(a[4 * rowStride], weights, to: &row4)
        addRow(a[5 * rowStride], weights, to: &row5)
        prefetch(ahead)
        ahead += aheadStride
        a += depthStride
        panel += panelWidth
    }
    storeRow(row0, c, columns: columns)
    storeRow(row1, c + resultStride, columns: columns)
    storeRow(row2, c + 2 * resultStride, columns: columns)
    storeRow(row3, c + 3 * resultStride, columns: columns)
    storeRow(row4, c + 4 * resultStride, columns: columns)
    storeRow(row5, c + 5 * resultStride, columns: columns)
}

#if KERNELS_AVX512
    /// A tile of 8 rows: see `multiplyTile1`.
    @inline(never)
    func multiplyTile8(
        _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, panel: UnsafePointer<Float>, depth: Int,
        into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool,
        next: UnsafeMutablePointer<Float>,
        ahead: UnsafePointer<Float>, aheadStride: Int
    ) {
        prefetchRows(next, resultStride, 8)
        var row0 = startRow(c, columns: columns, reloading: reloading)
        var row1 = startRow(c + resultStride, columns: columns, reloading: reloading)
        var row2 = startRow(c + 2 * resultStride, columns: columns, reloading: reloading)
        var row3 = startRow(c + 3 * resultStride, columns: columns, reloading: reloading)
        var row4 = startRow(c + 4 * resultStride, columns: columns, reloading: reloading)
        var row5 = startRow(c + 5 * resultStride, columns: columns, reloading: reloading)
        var row6 = startRow(c + 6 * resultStride, columns: columns, reloading: reloading)
        var row7 = startRow(c + 7 * resultStride, columns: columns, reloading: reloading)
        var a = a
        var panel = panel
        var ahead = ahead
        for _ in 0..<depth {
            let weights = loadRow(panel)
            addRow(a[0], weights, to: &row0)
            addRow(a[rowStride], weights, to: &row1)
            addRow(a[2 * rowStride], weights, to: &row2)
            addRow(a[3 * rowStride], weights, to: &row3)
            addRow(a[4 * rowStride], weights, to: &row4)
            addRow(a[5 * rowStride], weights, to: &row5)
            addRow(a[6 * rowStride], weights, to: &row6)
            addRow(a[7 * rowStride], weights, to: &row7)
            prefetch(ahead)
            ahead += aheadStride
            a += depthStride
            panel += panelWidth
        }
        storeRow(row0, c, columns: columns)
        storeRow(row1, c + resultStride, columns: columns)
        storeRow(row2, c + 2 * resultStride, columns: columns)
        storeRow(row3, c + 3 * resultStride, columns: columns)
        storeRow(row4, c + 4 * resultStride, columns: columns)
        storeRow(row5, c + 5 * resultStride, columns: columns)
        storeRow(row6, c + 6 * resultStride, columns: columns)
        storeRow(row7, c + 7 * resultStride, columns: columns)
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
        var row0 = startRow(c, columns: columns, reloading: reloading)
        var row1 = startRow(c + resultStride, columns: columns, reloading: reloading)
        var row2 = startRow(c + 2 * resultStride, columns: columns, reloading: reloading)
        var row3 = startRow(c + 3 * resultStride, columns: columns, reloading: reloading)
        var row4 = startRow(c + 4 * resultStride, columns: columns, reloading: reloading)
        var row5 = startRow(c + 5 * resultStride, columns: columns, reloading: reloading)
        var row6 = startRow(c + 6 * resultStride, columns: columns, reloading: reloading)
        var row7 = startRow(c + 7 * resultStride, columns: columns, reloading: reloading)
        var row8 = startRow(c + 8 * resultStride, columns: columns, reloading: reloading)
        var row9 = startRow(c + 9 * resultStride, columns: columns, reloading: reloading)
        var row10 = startRow(c + 10 * resultStride, columns: columns, reloading: reloading)
        var row11 = startRow(c + 11 * resultStride, columns: columns, reloading: reloading)
        var a = a
        var panel = panel
        var ahead = ahead
        for _ in 0..<depth {
            let weights = loadRow(panel)
            addRow(a[0], weights, to: &row0)
            addRow(a[rowStride], weights, to: &row1)
            addRow(a[2 * rowStride], weights, to: &row2)
            addRow(a[3 * rowStride], weights, to: &row3)
            addRow(a[4 * rowStride], weights, to: &row4)
            addRow(a[5 * rowStride], weights, to: &row5)
            addRow(a[6 * rowStride], weights, to: &row6)
            addRow(a[7 * rowStride], weights, to: &row7)
            addRow(a[8 * rowStride], weights, to: &row8)
            addRow(a[9 * rowStride], weights, to: &row9)
            addRow(a[10 * rowStride], weights, to: &row10)
            addRow(a[11 * rowStride], weights, to: &row11)
            prefetch(ahead)
            ahead += aheadStride
            a += depthStride
            panel += panelWidth
        }
        storeRow(row0, c, columns: columns)
        storeRow(row1, c + resultStride, columns: columns)
        storeRow(row2, c + 2 * resultStride, columns: columns)
        storeRow(row3, c + 3 * resultStride, columns: columns)
        storeRow(row4, c + 4 * resultStride, columns: columns)
        storeRow(row5, c + 5 * resultStride, columns: columns)
        storeRow(row6, c + 6 * resultStride, columns: columns)
        storeRow(row7, c + 7 * resultStride, columns: columns)
        storeRow(row8, c + 8 * resultStride, columns: columns)
        storeRow(row9, c + 9 * resultStride, columns: columns)
        storeRow(row10, c + 10 * resultStride, columns: columns)
        storeRow(row11, c + 11 * resultStride, columns: columns)
    }
#endif
