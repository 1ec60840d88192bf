/// A strip that brings nothing ahead.
@inline(__always)
func multiplyAlone(_ strip: Strip, height: Int, pairs: Bool) {
    var strip = strip
    strip.ahead.columns = 0
    strip.ahead.pieces = nil
    strip.ahead.isOwn = true
    #if KERNELS_AVX512
        guard height > 2 else { return multiplyColumns(strip, height: height, pairs: pairs) }
        var whole = strip
        whole.columns -= strip.columns % (height <= twoTilesHeight ? 2 * tileWidth : tileWidth)
        multiplyAskingForPanels(whole, height: height, pairs: pairs)
        advance(&strip, columns: whole.columns)
        multiplyRest(strip, height: height, pairs: pairs)
    #else
        multiplyColumns(strip, height: height, pairs: pairs)
    #endif
}

#if KERNELS_AVX512
    /// The last columns of a strip of any height.
    @inline(never)
    private func multiplyRest(_ rest: Strip, height: Int, pairs: Bool) {
        guard rest.columns > 0 else { return }
        var strip = rest
        var left = height
        while left > 0 {
            let height = nextTileHeight(left)
            multiplyColumns(strip, height: height, pairs: pairs)
            strip.a += height * strip.rowStride
            strip.result += height * strip.resultStride
            left -= height
        }
    }
#endif

/// Has a strip bring the rows of the next one nearer: a line in every step below as many panels as that takes.
@inline(__always)
func bringNearer(_ unrounded: UnroundedRows, from row: Int, in strip: inout Strip) {
    strip.ahead.panels = unrounded.values + row * unrounded.rowStride
    strip.ahead.stride = lineLength
    strip.ahead.depth = strip.depth
    strip.ahead.panelStride = panelWidth / tileWidth * lineLength * max(1, strip.depth)
    let panels = (tileHeight * unrounded.rowStride + strip.ahead.panelStride - 1) / strip.ahead.panelStride
    strip.ahead.columns = panels * panelWidth
}

/// A strip, whose columns go to the fastest way that there is for so many.
@inline(__always)
func multiplyColumns(_ strip: Strip, height: Int, pairs: Bool) {
    var strip = strip
    while height == 1 && strip.columns >= oneRowColumns {
        multiplyOneRow(strip, pairs: pairs)
        advance(&strip, columns: oneRowColumns)
    }
    while height == 2 && strip.columns >= 2 * tileWidth {
        multiplyTwoRows(strip, pairs: pairs)
        advance(&strip, columns: 2 * tileWidth)
    }
    #if KERNELS_AVX512
        let rest = strip.columns - columnsOfTiles(strip.columns)
        if rest > 0 {
            strip.columns -= rest
            if strip.columns > 0 { multiplyStrip(strip, height: height, pairs: pairs) }
            advance(&strip, columns: strip.columns)
            strip.columns = rest
            multiplyHalfPanel(strip, height: height, pairs: pairs)
            return
        }
    #endif
    if strip.columns > 0 { multiplyStrip(strip, height: height, pairs: pairs) }
}

#if KERNELS_AVX512
    /// The columns that go to tiles: all but up to half a panel at the end.
    @inline(__always)
    func columnsOfTiles(_ columns: Int) -> Int {
        let rest = columns % tileWidth
        return rest <= lanes ? columns - rest : columns
    }
#endif

/// Leaves the first columns out, which are whole panels or, where those are left out, the last of them.
@inline(__always)
func advance(_ strip: inout Strip, columns: Int) {
    strip.panel += tileOffset(column: columns, strip.panelStride)
    strip.result += columns
    strip.columns -= columns
}
