import CSIMD

#if KERNELS_AVX512
    // Strips that ask for the lines of their own panels. A product of three to twelve rows is one strip, which reads each panel
    // once, from memory where weights are many; what the processor asks for by itself comes late when a strip multiplies too.
    //
    // The heights are constants, so what asks for them is gone when a strip is inlined.

    /// Rows of the highest strip that takes two whole tiles at once, for more chains than the units' latency.
    let twoTilesHeight = 5

    /// A strip of three to twelve rows over whole panels, pairs of them below six rows: see `Strip`.
    @inline(__always)
    func multiplyAskingForPanels(_ strip: Strip, height: Int, pairs: Bool) {
        switch height {
        case 3: if pairs { pairStrip3(strip) } else { floatStrip3(strip) }
        case 4: if pairs { pairStrip4(strip) } else { floatStrip4(strip) }
        case 5: if pairs { pairStrip5(strip) } else { floatStrip5(strip) }
        case 6: if pairs { pairStrip6(strip) } else { floatStrip6(strip) }
        case 7: if pairs { pairStrip7(strip) } else { floatStrip7(strip) }
        case 8: if pairs { pairStrip8(strip) } else { floatStrip8(strip) }
        case 9: if pairs { pairStrip9(strip) } else { floatStrip9(strip) }
        case 10: if pairs { pairStrip10(strip) } else { floatStrip10(strip) }
        case 11: if pairs { pairStrip11(strip) } else { floatStrip11(strip) }
        default: if pairs { pairStrip12(strip) } else { floatStrip12(strip) }
        }
    }

    @inline(never)
    private func pairStrip3(_ strip: Strip) { twoTiles(strip, height: 3, pairs: true) }

    @inline(never)
    private func floatStrip3(_ strip: Strip) { twoTiles(strip, height: 3, pairs: false) }

    @inline(never)
    private func pairStrip4(_ strip: Strip) { twoTiles(strip, height: 4, pairs: true) }

    @inline(never)
    private func floatStrip4(_ strip: Strip) { twoTiles(strip, height: 4, pairs: false) }

    @inline(never)
    private func pairStrip5(_ strip: Strip) { twoTiles(strip, height: 5, pairs: true) }

    @inline(never)
    private func floatStrip5(_ strip: Strip) { twoTiles(strip, height: 5, pairs: false) }

    @inline(never)
    private func pairStrip6(_ strip: Strip) { oneTile(strip, height: 6, pairs: true) }

    @inline(never)
    private func floatStrip6(_ strip: Strip) { oneTile(strip, height: 6, pairs: false) }

    @inline(never)
    private func pairStrip7(_ strip: Strip) { oneTile(strip, height: 7, pairs: true) }

    @inline(never)
    private func floatStrip7(_ strip: Strip) { oneTile(strip, height: 7, pairs: false) }

    @inline(never)
    private func pairStrip8(_ strip: Strip) { oneTile(strip, height: 8, pairs: true) }

    @inline(never)
    private func floatStrip8(_ strip: Strip) { oneTile(strip, height: 8, pairs: false) }

    @inline(never)
    private func pairStrip9(_ strip: Strip) { oneTile(strip, height: 9, pairs: true) }

    @inline(never)
    private func floatStrip9(_ strip: Strip) { oneTile(strip, height: 9, pairs: false) }

    @inline(never)
    private func pairStrip10(_ strip: Strip) { oneTile(strip, height: 10, pairs: true) }

    @inline(never)
    private func floatStrip10(_ strip: Strip) { oneTile(strip, height: 10, pairs: false) }

    @inline(never)
    private func pairStrip11(_ strip: Strip) { oneTile(strip, height: 11, pairs: true) }

    @inline(never)
    private func floatStrip11(_ strip: Strip) { oneTile(strip, height: 11, pairs: false) }

    @inline(never)
    private func pairStrip12(_ strip: Strip) { oneTile(strip, height: 12, pairs: true) }

    @inline(never)
    private func floatStrip12(_ strip: Strip) { oneTile(strip, height: 12, pairs: false) }

    @inline(__always)
    private func oneTile(_ strip: Strip, height: Int, pairs: Bool) {
        let offsets = rowOffsets(strip.rowStride)
        let results = rowOffsets(strip.resultStride)
        var column = 0
        while column < strip.columns {
            let result0 = strip.result + column
            let result4 = result0 + 4 * strip.resultStride
            let result8 = result0 + 8 * strip.resultStride
            let reloading = strip.reloading
            var rows0 = startFour(result0, results, columns: tileWidth, reloading: reloading)
            var rows4 = startSome(result4, results, height: height - 4, reloading: reloading)
            var rows8 = startSome(result8, results, height: height - 8, reloading: reloading)
            var a0 = strip.a
            var a4 = a0 + 4 * strip.rowStride
            var a8 = a0 + 8 * strip.rowStride
            var panel = strip.panel + tileOffset(column: column, strip.panelStride)
            for _ in 0..<strip.depth {
                let weights = loadRow(panel)
                prefetchPanel(panel + stepsAhead * panelWidth)
                addFour(a0, offsets, weights, to: &rows0, pairs: pairs)
                addSome(a4, offsets, weights, to: &rows4, height: height - 4, pairs: pairs)
                addSome(a8, offsets, weights, to: &rows8, height: height - 8, pairs: pairs)
                a0 = opaque(a0 + strip.depthStride)
                a4 = opaque(a4 + strip.depthStride)
                if height > 8 { a8 = opaque(a8 + strip.depthStride) }
                panel += panelWidth
            }
            storeFour(rows0, result0, results, columns: tileWidth)
            storeSome(rows4, result4, results, height: height - 4)
            storeSome(rows8, result8, results, height: height - 8)
            column += tileWidth
        }
    }

    @inline(__always)
    private func twoTiles(_ strip: Strip, height: Int, pairs: Bool) {
        let offsets = rowOffsets(strip.rowStride)
        let results = rowOffsets(strip.resultStride)
        var column = 0
        while column < strip.columns {
            let left = strip.result + column
            let right = left + tileWidth
            let reloading = strip.reloading
            var leftRows = startSome(left, results, height: height, reloading: reloading)
            var rightRows = startSome(right, results, height: height, reloading: reloading)
            var leftFifth = startRow(
                left + 4 * strip.resultStride, columns: tileWidth, reloading: reloading && height > 4)
            var rightFifth = startRow(
                right + 4 * strip.resultStride, columns: tileWidth, reloading: reloading && height > 4)
            var a = strip.a
            var a4 = a + 4 * strip.rowStride
            var panel = strip.panel + tileOffset(column: column, strip.panelStride)
            let other =
                tileOffset(column: column + tileWidth, strip.panelStride)
                - tileOffset(column: column, strip.panelStride)
            for _ in 0..<strip.depth {
                let leftWeights = loadRow(panel)
                let rightWeights = loadRow(panel + other)
                prefetchPanel(panel + stepsAheadOfTwo * panelWidth)
                prefetchPanel(panel + other + stepsAheadOfTwo * panelWidth)
                addSome(a, offsets, leftWeights, to: &leftRows, height: height, pairs: pairs)
                addSome(a, offsets, rightWeights, to: &rightRows, height: height, pairs: pairs)
                if height > 4 {
                    addLane(a4, leftWeights, to: &leftFifth, pairs: pairs)
                    addLane(a4, rightWeights, to: &rightFifth, pairs: pairs)
                    a4 = opaque(a4 + strip.depthStride)
                }
                a = opaque(a + strip.depthStride)
                panel += panelWidth
            }
            storeSome(leftRows, left, results, height: height)
            storeSome(rightRows, right, results, height: height)
            if height > 4 {
                storeRow(leftFifth, left + 4 * strip.resultStride, columns: tileWidth)
                storeRow(rightFifth, right + 4 * strip.resultStride, columns: tileWidth)
            }
            column += 2 * tileWidth
        }
    }

    // Of up to four rows, the first `height`.

    @inline(__always)
    private func startSome(
        _ source: UnsafeMutablePointer<Float>, _ offsets: RowOffsets, height: Int, reloading: Bool
    ) -> FourRows {
        (
            startRow(source, columns: tileWidth, reloading: reloading && height > 0),
            startRow(source + offsets.one, columns: tileWidth, reloading: reloading && height > 1),
            startRow(source + offsets.two, columns: tileWidth, reloading: reloading && height > 2),
            startRow(source + offsets.three, columns: tileWidth, reloading: reloading && height > 3)
        )
    }

    @inline(__always)
    private func addSome(
        _ a: UnsafePointer<Float>, _ offsets: RowOffsets, _ weights: TileRow, to rows: inout FourRows, height: Int,
        pairs: Bool
    ) {
        if height > 0 { addLane(a, weights, to: &rows.0, pairs: pairs) }
        if height > 1 { addLane(a + offsets.one, weights, to: &rows.1, pairs: pairs) }
        if height > 2 { addLane(a + offsets.two, weights, to: &rows.2, pairs: pairs) }
        if height > 3 { addLane(a + offsets.three, weights, to: &rows.3, pairs: pairs) }
    }

    @inline(__always)
    private func storeSome(
        _ rows: FourRows, _ destination: UnsafeMutablePointer<Float>, _ offsets: RowOffsets, height: Int
    ) {
        if height > 0 { storeRow(rows.0, destination, columns: tileWidth) }
        if height > 1 { storeRow(rows.1, destination + offsets.one, columns: tileWidth) }
        if height > 2 { storeRow(rows.2, destination + offsets.two, columns: tileWidth) }
        if height > 3 { storeRow(rows.3, destination + offsets.three, columns: tileWidth) }
    }
#endif
