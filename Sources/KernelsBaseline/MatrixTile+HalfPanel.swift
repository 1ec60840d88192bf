import CSIMD

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
        var rows = startFourHalves(tile, 0)
        let offsets = rowOffsets(tile.rowStride)
        var a = tile.a
        var panel = tile.panel
        for _ in 0..<tile.depth {
            addFourHalves(a, offsets, load(panel), to: &rows, pairs: pairs)
            a = opaque(a + 1)
            panel += panelWidth
        }
        storeFourHalves(rows, tile, 0)
    }

    /// A tile of 12 rows and up to sixteen columns: see `Tile`.
    @inline(__always)
    private func multiplyHalf12(_ tile: Tile, pairs: Bool) {
        if pairs { pairHalf12(tile) } else { floatHalf12(tile) }
    }

    @inline(never)
    private func pairHalf12(_ tile: Tile) { halfChain12(tile, pairs: true) }

    @inline(never)
    private func floatHalf12(_ tile: Tile) { halfChain12(tile, pairs: false) }

    @inline(__always)
    private func halfChain12(_ tile: Tile, pairs: Bool) {
        var rows0 = startFourHalves(tile, 0)
        var rows4 = startFourHalves(tile, 4)
        var rows8 = startFourHalves(tile, 8)
        let offsets = rowOffsets(tile.rowStride)
        var a0 = tile.a
        var a4 = a0 + 4 * tile.rowStride
        var a8 = a0 + 8 * tile.rowStride
        var panel = tile.panel
        for _ in 0..<tile.depth {
            let weights = load(panel)
            addFourHalves(a0, offsets, weights, to: &rows0, pairs: pairs)
            addFourHalves(a4, offsets, weights, to: &rows4, pairs: pairs)
            addFourHalves(a8, offsets, weights, to: &rows8, pairs: pairs)
            a0 = opaque(a0 + 1)
            a4 = opaque(a4 + 1)
            a8 = opaque(a8 + 1)
            panel += panelWidth
        }
        storeFourHalves(rows0, tile, 0)
        storeFourHalves(rows4, tile, 4)
        storeFourHalves(rows8, tile, 8)
    }

    @inline(__always)
    private func startFourHalves(_ tile: Tile, _ first: Int) -> FourVectors {
        (startHalf(tile, first), startHalf(tile, first + 1), startHalf(tile, first + 2), startHalf(tile, first + 3))
    }

    @inline(__always)
    private func addFourHalves(
        _ a: UnsafePointer<Float>, _ offsets: RowOffsets, _ weights: Vector, to rows: inout FourVectors, pairs: Bool
    ) {
        rows.0 = addProduct(broadcast(a[0]), weights, rows.0, pairs: pairs)
        rows.1 = addProduct(broadcast(a[offsets.one]), weights, rows.1, pairs: pairs)
        rows.2 = addProduct(broadcast(a[offsets.two]), weights, rows.2, pairs: pairs)
        rows.3 = addProduct(broadcast(a[offsets.three]), weights, rows.3, pairs: pairs)
    }

    @inline(__always)
    private func storeFourHalves(_ rows: FourVectors, _ tile: Tile, _ first: Int) {
        let result = tile.result + first * tile.resultStride
        storeSome(rows.0, result, tile.columns)
        storeSome(rows.1, result + tile.resultStride, tile.columns)
        storeSome(rows.2, result + 2 * tile.resultStride, tile.columns)
        storeSome(rows.3, result + 3 * tile.resultStride, tile.columns)
    }
#endif
