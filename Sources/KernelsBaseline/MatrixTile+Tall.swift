import CSIMD

#if KERNELS_AVX512
    /// A tile of 8 rows and `tileWidth` columns: see `Tile`.
    @inline(never)
    func multiplyTile8(_ tile: Tile, pairs: Bool) {
        if pairs { chain8(tile, pairs: true) } else { chain8(tile, pairs: false) }
    }

    @inline(__always)
    private func chain8(_ tile: Tile, pairs: Bool) {
        prefetchRows(tile, 8)
        var row0 = startRow(tile, 0)
        var row1 = startRow(tile, 1)
        var row2 = startRow(tile, 2)
        var row3 = startRow(tile, 3)
        var row4 = startRow(tile, 4)
        var row5 = startRow(tile, 5)
        var row6 = startRow(tile, 6)
        var row7 = startRow(tile, 7)
        var a = tile.a
        var panel = tile.panel
        var ahead = tile.ahead
        for _ in 0..<tile.depth {
            let weights = loadRow(panel)
            addRow(a[0], weights, to: &row0, pairs: pairs)
            addRow(a[tile.rowStride], weights, to: &row1, pairs: pairs)
            addRow(a[2 * tile.rowStride], weights, to: &row2, pairs: pairs)
            addRow(a[3 * tile.rowStride], weights, to: &row3, pairs: pairs)
            addRow(a[4 * tile.rowStride], weights, to: &row4, pairs: pairs)
            addRow(a[5 * tile.rowStride], weights, to: &row5, pairs: pairs)
            addRow(a[6 * tile.rowStride], weights, to: &row6, pairs: pairs)
            addRow(a[7 * tile.rowStride], weights, to: &row7, pairs: pairs)
            prefetch(ahead)
            ahead += tile.aheadStride
            a += tile.depthStride
            panel += panelWidth
        }
        storeRow(row0, tile, 0)
        storeRow(row1, tile, 1)
        storeRow(row2, tile, 2)
        storeRow(row3, tile, 3)
        storeRow(row4, tile, 4)
        storeRow(row5, tile, 5)
        storeRow(row6, tile, 6)
        storeRow(row7, tile, 7)
    }

    /// A tile of 12 rows and `tileWidth` columns: see `Tile`.
    @inline(never)
    func multiplyTile12(_ tile: Tile, pairs: Bool) {
        if pairs { chain12(tile, pairs: true) } else { chain12(tile, pairs: false) }
    }

    @inline(__always)
    private func chain12(_ tile: Tile, pairs: Bool) {
        prefetchRows(tile, 12)
        var row0 = startRow(tile, 0)
        var row1 = startRow(tile, 1)
        var row2 = startRow(tile, 2)
        var row3 = startRow(tile, 3)
        var row4 = startRow(tile, 4)
        var row5 = startRow(tile, 5)
        var row6 = startRow(tile, 6)
        var row7 = startRow(tile, 7)
        var row8 = startRow(tile, 8)
        var row9 = startRow(tile, 9)
        var row10 = startRow(tile, 10)
        var row11 = startRow(tile, 11)
        var a = tile.a
        var panel = tile.panel
        var ahead = tile.ahead
        for _ in 0..<tile.depth {
            let weights = loadRow(panel)
            addRow(a[0], weights, to: &row0, pairs: pairs)
            addRow(a[tile.rowStride], weights, to: &row1, pairs: pairs)
            addRow(a[2 * tile.rowStride], weights, to: &row2, pairs: pairs)
            addRow(a[3 * tile.rowStride], weights, to: &row3, pairs: pairs)
            addRow(a[4 * tile.rowStride], weights, to: &row4, pairs: pairs)
            addRow(a[5 * tile.rowStride], weights, to: &row5, pairs: pairs)
            addRow(a[6 * tile.rowStride], weights, to: &row6, pairs: pairs)
            addRow(a[7 * tile.rowStride], weights, to: &row7, pairs: pairs)
            addRow(a[8 * tile.rowStride], weights, to: &row8, pairs: pairs)
            addRow(a[9 * tile.rowStride], weights, to: &row9, pairs: pairs)
            addRow(a[10 * tile.rowStride], weights, to: &row10, pairs: pairs)
            addRow(a[11 * tile.rowStride], weights, to: &row11, pairs: pairs)
            prefetch(ahead)
            ahead += tile.aheadStride
            a += tile.depthStride
            panel += panelWidth
        }
        storeRow(row0, tile, 0)
        storeRow(row1, tile, 1)
        storeRow(row2, tile, 2)
        storeRow(row3, tile, 3)
        storeRow(row4, tile, 4)
        storeRow(row5, tile, 5)
        storeRow(row6, tile, 6)
        storeRow(row7, tile, 7)
        storeRow(row8, tile, 8)
        storeRow(row9, tile, 9)
        storeRow(row10, tile, 10)
        storeRow(row11, tile, 11)
    }
#endif
