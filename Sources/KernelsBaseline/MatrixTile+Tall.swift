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
        var rows0 = startFour(tile, 0)
        var rows4 = startFour(tile, 4)
        let offsets = rowOffsets(tile.rowStride)
        var a0 = tile.a
        var a4 = a0 + 4 * tile.rowStride
        var panel = tile.panel
        var ahead = tile.ahead
        for _ in 0..<tile.depth {
            let weights = loadRow(panel)
            addFour(a0, offsets, weights, to: &rows0, pairs: pairs)
            addFour(a4, offsets, weights, to: &rows4, pairs: pairs)
            prefetch(ahead)
            ahead += tile.aheadStride
            a0 = opaque(a0 + tile.depthStride)
            a4 = opaque(a4 + tile.depthStride)
            panel += panelWidth
        }
        storeFour(rows0, tile, 0)
        storeFour(rows4, tile, 4)
    }

    /// A tile of 12 rows and `tileWidth` columns: see `Tile`.
    @inline(__always)
    func multiplyTile12(_ tile: Tile, pairs: Bool) {
        if pairs { pairTile12(tile) } else { floatTile12(tile) }
    }

    // Each in a function of its own: of two chains as long as this in one, the compiler leaves the question which it is in the
    // loop.

    @inline(never)
    private func pairTile12(_ tile: Tile) { chain12(tile, pairs: true) }

    @inline(never)
    private func floatTile12(_ tile: Tile) { chain12(tile, pairs: false) }

    @inline(__always)
    private func chain12(_ tile: Tile, pairs: Bool) {
        prefetchRows(tile, 12)
        var rows0 = startFour(tile, 0)
        var rows4 = startFour(tile, 4)
        var rows8 = startFour(tile, 8)
        let offsets = rowOffsets(tile.rowStride)
        var a0 = tile.a
        var a4 = a0 + 4 * tile.rowStride
        var a8 = a0 + 8 * tile.rowStride
        var panel = tile.panel
        var ahead = tile.ahead
        for _ in 0..<tile.depth {
            let weights = loadRow(panel)
            addFour(a0, offsets, weights, to: &rows0, pairs: pairs)
            addFour(a4, offsets, weights, to: &rows4, pairs: pairs)
            addFour(a8, offsets, weights, to: &rows8, pairs: pairs)
            prefetch(ahead)
            ahead += tile.aheadStride
            a0 = opaque(a0 + tile.depthStride)
            a4 = opaque(a4 + tile.depthStride)
            a8 = opaque(a8 + tile.depthStride)
            panel += panelWidth
        }
        storeFour(rows0, tile, 0)
        storeFour(rows4, tile, 4)
        storeFour(rows8, tile, 8)
    }
#endif
