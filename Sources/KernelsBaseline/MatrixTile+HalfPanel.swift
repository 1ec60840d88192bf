#if KERNELS_AVX512
    /// A tile of `height` rows at the last panel of a matrix of which at most sixteen columns are left, its lanes next to
    /// one another in depth: half the work of whole tiles.
    @inline(__always)
    func multiplyHalfPanel(_ tile: Tile, height: Int, pairs: Bool) {
        if height == 12 {
            multiplyHalf12(tile, pairs: pairs)
            return
        }
        var part = tile
        var left = height
        while left >= 4 {
            multiplyHalf4(part, pairs: pairs)
            part.a += 4 * tile.rowStride
            part.result += 4 * tile.resultStride
            left -= 4
        }
        while left >= 1 {
            multiplyHalf1(part, pairs: pairs)
            part.a += tile.rowStride
            part.result += tile.resultStride
            left -= 1
        }
    }

    @inline(__always)
    private func startHalf(_ tile: Tile, _ row: Int) -> Vector {
        tile.reloading ? loadSome(tile.result + row * tile.resultStride, tile.columns) : broadcast(0)
    }

    /// A tile of 1 row and up to sixteen columns: see `Tile`.
    @inline(never)
    private func multiplyHalf1(_ tile: Tile, pairs: Bool) {
        if pairs { halfChain1(tile, pairs: true) } else { halfChain1(tile, pairs: false) }
    }

    @inline(__always)
    private func halfChain1(_ tile: Tile, pairs: Bool) {
        var row0 = startHalf(tile, 0)
        for k in 0..<tile.depth {
            let weights = load(tile.panel + k * panelWidth)
            let a = tile.a + k
            row0 = addProduct(broadcast(a[0]), weights, row0, pairs: pairs)
        }
        storeSome(row0, tile.result, tile.columns)
    }

    /// A tile of 4 rows and up to sixteen columns: see `Tile`.
    @inline(never)
    private func multiplyHalf4(_ tile: Tile, pairs: Bool) {
        if pairs { halfChain4(tile, pairs: true) } else { halfChain4(tile, pairs: false) }
    }

    @inline(__always)
    private func halfChain4(_ tile: Tile, pairs: Bool) {
        var row0 = startHalf(tile, 0)
        var row1 = startHalf(tile, 1)
        var row2 = startHalf(tile, 2)
        var row3 = startHalf(tile, 3)
        for k in 0..<tile.depth {
            let weights = load(tile.panel + k * panelWidth)
            let a = tile.a + k
            row0 = addProduct(broadcast(a[0]), weights, row0, pairs: pairs)
            row1 = addProduct(broadcast(a[tile.rowStride]), weights, row1, pairs: pairs)
            row2 = addProduct(broadcast(a[2 * tile.rowStride]), weights, row2, pairs: pairs)
            row3 = addProduct(broadcast(a[3 * tile.rowStride]), weights, row3, pairs: pairs)
        }
        storeSome(row0, tile.result, tile.columns)
        storeSome(row1, tile.result + 1 * tile.resultStride, tile.columns)
        storeSome(row2, tile.result + 2 * tile.resultStride, tile.columns)
        storeSome(row3, tile.result + 3 * tile.resultStride, tile.columns)
    }

    /// A tile of 12 rows and up to sixteen columns: see `Tile`.
    @inline(never)
    private func multiplyHalf12(_ tile: Tile, pairs: Bool) {
        if pairs { halfChain12(tile, pairs: true) } else { halfChain12(tile, pairs: false) }
    }

    @inline(__always)
    private func halfChain12(_ tile: Tile, pairs: Bool) {
        var row0 = startHalf(tile, 0)
        var row1 = startHalf(tile, 1)
        var row2 = startHalf(tile, 2)
        var row3 = startHalf(tile, 3)
        var row4 = startHalf(tile, 4)
        var row5 = startHalf(tile, 5)
        var row6 = startHalf(tile, 6)
        var row7 = startHalf(tile, 7)
        var row8 = startHalf(tile, 8)
        var row9 = startHalf(tile, 9)
        var row10 = startHalf(tile, 10)
        var row11 = startHalf(tile, 11)
        for k in 0..<tile.depth {
            let weights = load(tile.panel + k * panelWidth)
            let a = tile.a + k
            row0 = addProduct(broadcast(a[0]), weights, row0, pairs: pairs)
            row1 = addProduct(broadcast(a[tile.rowStride]), weights, row1, pairs: pairs)
            row2 = addProduct(broadcast(a[2 * tile.rowStride]), weights, row2, pairs: pairs)
            row3 = addProduct(broadcast(a[3 * tile.rowStride]), weights, row3, pairs: pairs)
            row4 = addProduct(broadcast(a[4 * tile.rowStride]), weights, row4, pairs: pairs)
            row5 = addProduct(broadcast(a[5 * tile.rowStride]), weights, row5, pairs: pairs)
            row6 = addProduct(broadcast(a[6 * tile.rowStride]), weights, row6, pairs: pairs)
            row7 = addProduct(broadcast(a[7 * tile.rowStride]), weights, row7, pairs: pairs)
            row8 = addProduct(broadcast(a[8 * tile.rowStride]), weights, row8, pairs: pairs)
            row9 = addProduct(broadcast(a[9 * tile.rowStride]), weights, row9, pairs: pairs)
            row10 = addProduct(broadcast(a[10 * tile.rowStride]), weights, row10, pairs: pairs)
            row11 = addProduct(broadcast(a[11 * tile.rowStride]), weights, row11, pairs: pairs)
        }
        storeSome(row0, tile.result, tile.columns)
        storeSome(row1, tile.result + 1 * tile.resultStride, tile.columns)
        storeSome(row2, tile.result + 2 * tile.resultStride, tile.columns)
        storeSome(row3, tile.result + 3 * tile.resultStride, tile.columns)
        storeSome(row4, tile.result + 4 * tile.resultStride, tile.columns)
        storeSome(row5, tile.result + 5 * tile.resultStride, tile.columns)
        storeSome(row6, tile.result + 6 * tile.resultStride, tile.columns)
        storeSome(row7, tile.result + 7 * tile.resultStride, tile.columns)
        storeSome(row8, tile.result + 8 * tile.resultStride, tile.columns)
        storeSome(row9, tile.result + 9 * tile.resultStride, tile.columns)
        storeSome(row10, tile.result + 10 * tile.resultStride, tile.columns)
        storeSome(row11, tile.result + 11 * tile.resultStride, tile.columns)
    }
#endif
