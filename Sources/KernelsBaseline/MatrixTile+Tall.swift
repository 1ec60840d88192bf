import CSIMD

#if KERNELS_AVX512
    /// A strip of 8 rows: see `Strip`.
    @inline(__always)
    func multiplyStrip8(_ strip: Strip, pairs: Bool) {
        if pairs { pairStrip8(strip) } else { floatStrip8(strip) }
    }

    @inline(never)
    private func pairStrip8(_ strip: Strip) { strip8(strip, pairs: true) }

    @inline(never)
    private func floatStrip8(_ strip: Strip) { strip8(strip, pairs: false) }

    @inline(__always)
    private func strip8(_ strip: Strip, pairs: Bool) {
        let offsets = rowOffsets(strip.rowStride)
        let results = rowOffsets(strip.resultStride)
        var column = 0
        while column < strip.columns {
            let tile = tile(of: strip, at: column)
            let result0 = tile.result
            let result4 = result0 + 4 * strip.resultStride
            var rows0 = startFour(result0, results, columns: tile.columns, reloading: strip.reloading)
            var rows4 = startFour(result4, results, columns: tile.columns, reloading: strip.reloading)
            var a0 = strip.a
            var a4 = a0 + 4 * strip.rowStride
            var panel = tile.panel
            var ahead = tile.ahead
            var next = tile.next
            let first = min(8, strip.depth)
            for _ in 0..<first {
                addStep(a0, a4, offsets, panel, &rows0, &rows4, pairs: pairs)
                prefetchRow(next)
                next += strip.resultStride
                prefetch(ahead)
                ahead += tile.aheadStride
                a0 = opaque(a0 + strip.depthStride)
                a4 = opaque(a4 + strip.depthStride)
                panel += panelWidth
            }
            for _ in first..<strip.depth {
                addStep(a0, a4, offsets, panel, &rows0, &rows4, pairs: pairs)
                prefetch(ahead)
                ahead += tile.aheadStride
                a0 = opaque(a0 + strip.depthStride)
                a4 = opaque(a4 + strip.depthStride)
                panel += panelWidth
            }
            storeFour(rows0, result0, results, columns: tile.columns)
            storeFour(rows4, result4, results, columns: tile.columns)
            column += tileWidth
        }
    }

    @inline(__always)
    private func addStep(
        _ a0: UnsafePointer<Float>, _ a4: UnsafePointer<Float>, _ offsets: RowOffsets,
        _ panel: UnsafePointer<Float>, _ rows0: inout FourRows, _ rows4: inout FourRows, pairs: Bool
    ) {
        let weights = loadRow(panel)
        #if !KERNELS_BF16
            if pairs {
                addFactors(a0, a4, offsets, highValues(weights), &rows0, &rows4, pairs: false)
                addFactors(a0 + 1, a4 + 1, offsets, lowValues(weights), &rows0, &rows4, pairs: false)
                return
            }
        #endif
        addFactors(a0, a4, offsets, weights, &rows0, &rows4, pairs: pairs)
    }

    @inline(__always)
    private func addFactors(
        _ a0: UnsafePointer<Float>, _ a4: UnsafePointer<Float>, _ offsets: RowOffsets, _ weights: TileRow,
        _ rows0: inout FourRows, _ rows4: inout FourRows, pairs: Bool
    ) {
        addFactors(a0, offsets, weights, to: &rows0, pairs: pairs)
        addFactors(a4, offsets, weights, to: &rows4, pairs: pairs)
    }

    /// A strip of 12 rows: see `Strip`.
    @inline(__always)
    func multiplyStrip12(_ strip: Strip, pairs: Bool) {
        if pairs { pairStrip12(strip) } else { floatStrip12(strip) }
    }

    @inline(never)
    private func pairStrip12(_ strip: Strip) { strip12(strip, pairs: true, leaving: nil) }

    @inline(never)
    private func floatStrip12(_ strip: Strip) { strip12(strip, pairs: false, leaving: nil) }

    /// A strip of 12 rows of pairs, whose panels are left in `room` as single values, the second of each pair first.
    @inline(never)
    func unpackingStrip(_ strip: Strip, into room: UnsafeMutablePointer<Float>) {
        strip12(strip, pairs: true, leaving: room)
    }

    @inline(__always)
    private func strip12(_ strip: Strip, pairs: Bool, leaving room: UnsafeMutablePointer<Float>?) {
        let offsets = rowOffsets(strip.rowStride)
        let results = rowOffsets(strip.resultStride)
        var column = 0
        while column < strip.columns {
            let tile = tile(of: strip, at: column)
            let result0 = tile.result
            let result4 = result0 + 4 * strip.resultStride
            let result8 = result0 + 8 * strip.resultStride
            var rows0 = startFour(result0, results, columns: tile.columns, reloading: strip.reloading)
            var rows4 = startFour(result4, results, columns: tile.columns, reloading: strip.reloading)
            var rows8 = startFour(result8, results, columns: tile.columns, reloading: strip.reloading)
            var a0 = strip.a
            var a4 = a0 + 4 * strip.rowStride
            var a8 = a0 + 8 * strip.rowStride
            var panel = tile.panel
            var ahead = tile.ahead
            var next = tile.next
            var left = room.map { $0 + tileOffset(column: column, 2 * panelWidth * strip.depth) }
            let first = min(12, strip.depth)
            for _ in 0..<first {
                addStep(a0, a4, a8, offsets, panel, &rows0, &rows4, &rows8, pairs: pairs)
                leaveRow(panel, &left)
                prefetchRow(next)
                next += strip.resultStride
                prefetch(ahead)
                ahead += tile.aheadStride
                a0 = opaque(a0 + strip.depthStride)
                a4 = opaque(a4 + strip.depthStride)
                a8 = opaque(a8 + strip.depthStride)
                panel += panelWidth
            }
            for _ in first..<strip.depth {
                addStep(a0, a4, a8, offsets, panel, &rows0, &rows4, &rows8, pairs: pairs)
                leaveRow(panel, &left)
                prefetch(ahead)
                ahead += tile.aheadStride
                a0 = opaque(a0 + strip.depthStride)
                a4 = opaque(a4 + strip.depthStride)
                a8 = opaque(a8 + strip.depthStride)
                panel += panelWidth
            }
            storeFour(rows0, result0, results, columns: tile.columns)
            storeFour(rows4, result4, results, columns: tile.columns)
            storeFour(rows8, result8, results, columns: tile.columns)
            column += tileWidth
        }
    }

    /// A step of twelve rows.
    @inline(__always)
    func addStep(
        _ a0: UnsafePointer<Float>, _ a4: UnsafePointer<Float>, _ a8: UnsafePointer<Float>, _ offsets: RowOffsets,
        _ panel: UnsafePointer<Float>, _ rows0: inout FourRows, _ rows4: inout FourRows, _ rows8: inout FourRows,
        pairs: Bool
    ) {
        let weights = loadRow(panel)
        #if !KERNELS_BF16
            if pairs {
                // All rows with half of the values first: both halves would not find room in registers.
                addFactors(a0, a4, a8, offsets, highValues(weights), &rows0, &rows4, &rows8, pairs: false)
                addFactors(
                    a0 + 1, a4 + 1, a8 + 1, offsets, lowValues(weights), &rows0, &rows4, &rows8, pairs: false)
                return
            }
        #endif
        addFactors(a0, a4, a8, offsets, weights, &rows0, &rows4, &rows8, pairs: pairs)
    }

    @inline(__always)
    private func addFactors(
        _ a0: UnsafePointer<Float>, _ a4: UnsafePointer<Float>, _ a8: UnsafePointer<Float>, _ offsets: RowOffsets,
        _ weights: TileRow, _ rows0: inout FourRows, _ rows4: inout FourRows, _ rows8: inout FourRows, pairs: Bool
    ) {
        addFactors(a0, offsets, weights, to: &rows0, pairs: pairs)
        addFactors(a4, offsets, weights, to: &rows4, pairs: pairs)
        addFactors(a8, offsets, weights, to: &rows8, pairs: pairs)
    }
#endif
