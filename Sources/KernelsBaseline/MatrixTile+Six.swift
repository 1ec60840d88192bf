import CSIMD

/// A strip of 6 rows: see `Strip`.
@inline(__always)
func multiplyStrip6(_ strip: Strip, pairs: Bool) {
    if pairs { pairStrip6(strip) } else { floatStrip6(strip) }
}

@inline(never)
private func pairStrip6(_ strip: Strip) { strip6(strip, pairs: true, leaving: nil) }

@inline(never)
private func floatStrip6(_ strip: Strip) { strip6(strip, pairs: false, leaving: nil) }

#if !KERNELS_AVX512
    /// A strip of 6 rows of pairs, whose panels are left in `room` as single values, the second of each pair first.
    @inline(never)
    func unpackingStrip(_ strip: Strip, into room: UnsafeMutablePointer<Float>) {
        strip6(strip, pairs: true, leaving: room)
    }
#endif

@inline(__always)
private func strip6(_ strip: Strip, pairs: Bool, leaving room: UnsafeMutablePointer<Float>?) {
    let offsets = rowOffsets(strip.rowStride)
    let results = rowOffsets(strip.resultStride)
    var column = 0
    while column < strip.columns {
        let tile = tile(of: strip, at: column)
        let result4 = tile.result + 4 * strip.resultStride
        let result5 = result4 + results.one
        var rows = startFour(tile.result, results, columns: tile.columns, reloading: strip.reloading)
        var row4 = startRow(result4, columns: tile.columns, reloading: strip.reloading)
        var row5 = startRow(result5, columns: tile.columns, reloading: strip.reloading)
        var a0 = strip.a
        var a4 = a0 + 4 * strip.rowStride
        var panel = tile.panel
        var ahead = tile.ahead
        var next = tile.next
        var left = room.map { $0 + tileOffset(column: column, 2 * panelWidth * strip.depth) }
        let first = min(6, strip.depth)
        for _ in 0..<first {
            addStep(a0, a4, offsets, panel, &rows, &row4, &row5, pairs: pairs)
            leaveRow(panel, &left)
            prefetchRow(next)
            next += strip.resultStride
            prefetch(ahead)
            ahead += tile.aheadStride
            a0 = opaque(a0 + strip.depthStride)
            a4 = opaque(a4 + strip.depthStride)
            panel += panelWidth
        }
        for _ in first..<strip.depth {
            addStep(a0, a4, offsets, panel, &rows, &row4, &row5, pairs: pairs)
            leaveRow(panel, &left)
            prefetch(ahead)
            ahead += tile.aheadStride
            a0 = opaque(a0 + strip.depthStride)
            a4 = opaque(a4 + strip.depthStride)
            panel += panelWidth
        }
        storeFour(rows, tile.result, results, columns: tile.columns)
        storeRow(row4, result4, columns: tile.columns)
        storeRow(row5, result5, columns: tile.columns)
        column += tileWidth
    }
}

/// A step of six rows.
@inline(__always)
func addStep(
    _ a0: UnsafePointer<Float>, _ a4: UnsafePointer<Float>, _ offsets: RowOffsets, _ panel: UnsafePointer<Float>,
    _ rows: inout FourRows, _ row4: inout TileRow, _ row5: inout TileRow, pairs: Bool
) {
    let weights = loadRow(panel)
    #if !KERNELS_BF16
        if pairs {
            // All rows with half of the values first: both halves would not find room in registers.
            addFactors(a0, a4, offsets, highValues(weights), &rows, &row4, &row5, pairs: false)
            addFactors(a0 + 1, a4 + 1, offsets, lowValues(weights), &rows, &row4, &row5, pairs: false)
            return
        }
    #endif
    addFactors(a0, a4, offsets, weights, &rows, &row4, &row5, pairs: pairs)
}

@inline(__always)
private func addFactors(
    _ a0: UnsafePointer<Float>, _ a4: UnsafePointer<Float>, _ offsets: RowOffsets, _ weights: TileRow,
    _ rows: inout FourRows, _ row4: inout TileRow, _ row5: inout TileRow, pairs: Bool
) {
    addFactors(a0, offsets, weights, to: &rows, pairs: pairs)
    addRow(a4[0], weights, to: &row4, pairs: pairs)
    addRow(a4[offsets.one], weights, to: &row5, pairs: pairs)
}
