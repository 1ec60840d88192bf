#if KERNELS_AVX512
    /// `height` rows with the last panel of a matrix of which at most sixteen columns are left: half the work of whole
    /// tiles.
    @inline(__always)
    func multiplyHalfPanel(
        height: Int, _ a: UnsafePointer<Float>, rowStride: Int, panel: UnsafePointer<Float>, depth: Int,
        into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool
    ) {
        if height == 12 {
            multiplyHalf12(
                a, rowStride: rowStride, panel: panel, depth: depth, into: c, resultStride: resultStride,
                columns: columns,
                reloading: reloading)
            return
        }
        var row = 0
        while row + 4 <= height {
            multiplyHalf4(
                a + row * rowStride, rowStride: rowStride, panel: panel, depth: depth, into: c + row * resultStride,
                resultStride: resultStride, columns: columns, reloading: reloading)
            row += 4
        }
        while row < height {
            multiplyHalf1(
                a + row * rowStride, rowStride: rowStride, panel: panel, depth: depth, into: c + row * resultStride,
                resultStride: resultStride, columns: columns, reloading: reloading)
            row += 1
        }
    }

    /// A tile of 1 row and up to sixteen columns: see `multiplyTile1`.
    @inline(never)
    private func multiplyHalf1(
        _ a: UnsafePointer<Float>, rowStride: Int, panel: UnsafePointer<Float>, depth: Int,
        into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool
    ) {
        var row0 = reloading ? loadSome(c, columns) : broadcast(0)
        for k in 0..<depth {
            let weights = load(panel + k * panelWidth)
            let a = a + k
            row0 = multiplyAdd(broadcast(a[0]), weights, row0)
        }
        storeSome(row0, c, columns)
    }

    /// A tile of 4 rows and up to sixteen columns: see `multiplyTile1`.
    @inline(never)
    private func multiplyHalf4(
        _ a: UnsafePointer<Float>, rowStride: Int, panel: UnsafePointer<Float>, depth: Int,
        into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool
    ) {
        var row0 = reloading ? loadSome(c, columns) : broadcast(0)
        var row1 = reloading ? loadSome(c + resultStride, columns) : broadcast(0)
        var row2 = reloading ? loadSome(c + 2 * resultStride, columns) : broadcast(0)
        var row3 = reloading ? loadSome(c + 3 * resultStride, columns) : broadcast(0)
        for k in 0..<depth {
            let weights = load(panel + k * panelWidth)
            let a = a + k
            row0 = multiplyAdd(broadcast(a[0]), weights, row0)
            row1 = multiplyAdd(broadcast(a[rowStride]), weights, row1)
            row2 = multiplyAdd(broadcast(a[2 * rowStride]), weights, row2)
            row3 = multiplyAdd(broadcast(a[3 * rowStride]), weights, row3)
        }
        storeSome(row0, c, columns)
        storeSome(row1, c + resultStride, columns)
        storeSome(row2, c + 2 * resultStride, columns)
        storeSome(row3, c + 3 * resultStride, columns)
    }

    /// A tile of 12 rows and up to sixteen columns: see `multiplyTile1`.
    @inline(never)
    private func multiplyHalf12(
        _ a: UnsafePointer<Float>, rowStride: Int, panel: UnsafePointer<Float>, depth: Int,
        into c: UnsafeMutablePointer<Float>, resultStride: Int, columns: Int, reloading: Bool
    ) {
        var row0 = reloading ? loadSome(c, columns) : broadcast(0)
        var row1 = reloading ? loadSome(c + resultStride, columns) : broadcast(0)
        var row2 = reloading ? loadSome(c + 2 * resultStride, columns) : broadcast(0)
        var row3 = reloading ? loadSome(c + 3 * resultStride, columns) : broadcast(0)
        var row4 = reloading ? loadSome(c + 4 * resultStride, columns) : broadcast(0)
        var row5 = reloading ? loadSome(c + 5 * resultStride, columns) : broadcast(0)
        var row6 = reloading ? loadSome(c + 6 * resultStride, columns) : broadcast(0)
        var row7 = reloading ? loadSome(c + 7 * resultStride, columns) : broadcast(0)
        var row8 = reloading ? loadSome(c + 8 * resultStride, columns) : broadcast(0)
        var row9 = reloading ? loadSome(c + 9 * resultStride, columns) : broadcast(0)
        var row10 = reloading ? loadSome(c + 10 * resultStride, columns) : broadcast(0)
        var row11 = reloading ? loadSome(c + 11 * resultStride, columns) : broadcast(0)
        for k in 0..<depth {
            let weights = load(panel + k * panelWidth)
            let a = a + k
            row0 = multiplyAdd(broadcast(a[0]), weights, row0)
            row1 = multiplyAdd(broadcast(a[rowStride]), weights, row1)
            row2 = multiplyAdd(broadcast(a[2 * rowStride]), weights, row2)
            row3 = multiplyAdd(broadcast(a[3 * rowStride]), weights, row3)
            row4 = multiplyAdd(broadcast(a[4 * rowStride]), weights, row4)
            row5 = multiplyAdd(broadcast(a[5 * rowStride]), weights, row5)
            row6 = multiplyAdd(broadcast(a[6 * rowStride]), weights, row6)
            row7 = multiplyAdd(broadcast(a[7 * rowStride]), weights, row7)
            row8 = multiplyAdd(broadcast(a[8 * rowStride]), weights, row8)
            row9 = multiplyAdd(broadcast(a[9 * rowStride]), weights, row9)
            row10 = multiplyAdd(broadcast(a[10 * rowStride]), weights, row10)
            row11 = multiplyAdd(broadcast(a[11 * rowStride]), weights, row11)
        }
        storeSome(row0, c, columns)
        storeSome(row1, c + resultStride, columns)
        storeSome(row2, c + 2 * resultStride, columns)
        storeSome(row3, c + 3 * resultStride, columns)
        storeSome(row4, c + 4 * resultStride, columns)
        storeSome(row5, c + 5 * resultStride, columns)
        storeSome(row6, c + 6 * resultStride, columns)
        storeSome(row7, c + 7 * resultStride, columns)
        storeSome(row8, c + 8 * resultStride, columns)
        storeSome(row9, c + 9 * resultStride, columns)
        storeSome(row10, c + 10 * resultStride, columns)
        storeSome(row11, c + 11 * resultStride, columns)
    }
#endif
