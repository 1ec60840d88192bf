import CSIMD

#if KERNELS_AVX512
    /// Columns that one row takes at once: whole panels, as many chains as the units' latency needs.
    let oneRowColumns = 4 * tileWidth
#else
    /// Columns that one row takes at once: a panel. Of more, memory gives less.
    let oneRowColumns = 2 * tileWidth
#endif

/// One row with `oneRowColumns`.
@inline(__always)
func multiplyOneRow(_ strip: Strip, pairs: Bool) {
    if pairs { oneRowPairs(strip) } else { oneRowFloats(strip) }
}

@inline(never)
private func oneRowPairs(_ strip: Strip) { oneRowChains(strip, pairs: true) }

@inline(never)
private func oneRowFloats(_ strip: Strip) { oneRowChains(strip, pairs: false) }

#if KERNELS_AVX512
    @inline(__always)
    private func oneRowChains(_ strip: Strip, pairs: Bool) {
        let panel1 = strip.panel + tileOffset(column: 1 * tileWidth, strip.panelStride)
        let panel2 = strip.panel + tileOffset(column: 2 * tileWidth, strip.panelStride)
        let panel3 = strip.panel + tileOffset(column: 3 * tileWidth, strip.panelStride)
        let c = strip.result
        var sum0 = startRow(c, columns: tileWidth, reloading: strip.reloading)
        var sum1 = startRow(c + tileWidth, columns: tileWidth, reloading: strip.reloading)
        var sum2 = startRow(c + 2 * tileWidth, columns: tileWidth, reloading: strip.reloading)
        var sum3 = startRow(c + 3 * tileWidth, columns: tileWidth, reloading: strip.reloading)
        // Near its end a panel asks for the one that comes after all four, or where none does for what is read anyway.
        let next = tileOffset(column: oneRowColumns, strip.panelStride)
        let last = max(0, strip.depth - stepsAhead)
        let atEnd = strip.columns > oneRowColumns ? next - last * panelWidth : 0
        for k in 0..<strip.depth {
            let a = strip.a + k * strip.depthStride
            let ahead = k < last ? stepsAhead * panelWidth : atEnd
            let row = strip.panel + k * panelWidth + ahead
            prefetchPanel(row)
            prefetchPanel(row + (panel1 - strip.panel))
            prefetchPanel(row + (panel2 - strip.panel))
            prefetchPanel(row + (panel3 - strip.panel))
            addLane(a, loadRow(strip.panel + k * panelWidth), to: &sum0, pairs: pairs)
            addLane(a, loadRow(panel1 + k * panelWidth), to: &sum1, pairs: pairs)
            addLane(a, loadRow(panel2 + k * panelWidth), to: &sum2, pairs: pairs)
            addLane(a, loadRow(panel3 + k * panelWidth), to: &sum3, pairs: pairs)
        }
        storeRow(sum0, c, columns: tileWidth)
        storeRow(sum1, c + tileWidth, columns: tileWidth)
        storeRow(sum2, c + 2 * tileWidth, columns: tileWidth)
        storeRow(sum3, c + 3 * tileWidth, columns: tileWidth)
    }
#else
    @inline(__always)
    private func oneRowChains(_ strip: Strip, pairs: Bool) {
        let left = strip.result
        let right = left + tileWidth
        var leftSum = startRow(left, columns: tileWidth, reloading: strip.reloading)
        var rightSum = startRow(right, columns: tileWidth, reloading: strip.reloading)
        for k in 0..<strip.depth {
            let a = strip.a + k * strip.depthStride
            let row = strip.panel + k * panelWidth
            prefetchPanel(row + stepsAhead * panelWidth)
            addLane(a, loadRow(row), to: &leftSum, pairs: pairs)
            addLane(a, loadRow(row + tileWidth), to: &rightSum, pairs: pairs)
        }
        storeRow(leftSum, left, columns: tileWidth)
        storeRow(rightSum, right, columns: tileWidth)
    }
#endif

/// Two rows with two whole tiles at once: as many chains as the units' latency needs.
@inline(__always)
func multiplyTwoRows(_ strip: Strip, pairs: Bool) {
    if pairs { twoRowsPairs(strip) } else { twoRowsFloats(strip) }
}

@inline(never)
private func twoRowsPairs(_ strip: Strip) { twoRowsChains(strip, pairs: true) }

@inline(never)
private func twoRowsFloats(_ strip: Strip) { twoRowsChains(strip, pairs: false) }

@inline(__always)
private func twoRowsChains(_ strip: Strip, pairs: Bool) {
    let panel1 = strip.panel + tileOffset(column: 1 * tileWidth, strip.panelStride)
    let c0 = strip.result
    let c1 = strip.result + strip.resultStride
    var sum00 = startRow(c0, columns: tileWidth, reloading: strip.reloading)
    var sum01 = startRow(c0 + tileWidth, columns: tileWidth, reloading: strip.reloading)
    var sum10 = startRow(c1, columns: tileWidth, reloading: strip.reloading)
    var sum11 = startRow(c1 + tileWidth, columns: tileWidth, reloading: strip.reloading)
    for k in 0..<strip.depth {
        let a = strip.a + k * strip.depthStride
        let row = strip.panel + k * panelWidth
        let weights0 = loadRow(row)
        let weights1 = loadRow(panel1 + k * panelWidth)
        #if !KERNELS_AVX512
            prefetchPanel(row + stepsAhead * panelWidth)
        #endif
        addLane(a, weights0, to: &sum00, pairs: pairs)
        addLane(a, weights1, to: &sum01, pairs: pairs)
        addLane(a + strip.rowStride, weights0, to: &sum10, pairs: pairs)
        addLane(a + strip.rowStride, weights1, to: &sum11, pairs: pairs)
    }
    storeRow(sum00, c0, columns: tileWidth)
    storeRow(sum01, c0 + tileWidth, columns: tileWidth)
    storeRow(sum10, c1, columns: tileWidth)
    storeRow(sum11, c1 + tileWidth, columns: tileWidth)
}
