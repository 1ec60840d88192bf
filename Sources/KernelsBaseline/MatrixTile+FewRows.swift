/// Where the tile at `column` of a group of panels starts.
@inline(__always)
func tileOffset(column: Int, _ panelStride: Int) -> Int {
    column / panelWidth * panelStride + column % panelWidth
}

/// The tile's one row with four tiles' columns at once, all whole and their panels `panelStride` apart: as many chains as
/// the units' latency needs.
@inline(never)
func multiplyOneRow(_ tile: Tile, panelStride: Int, pairs: Bool) {
    if pairs {
        oneRowChains(tile, panelStride: panelStride, pairs: true)
    } else {
        oneRowChains(tile, panelStride: panelStride, pairs: false)
    }
}

@inline(__always)
private func oneRowChains(_ tile: Tile, panelStride: Int, pairs: Bool) {
    let panel1 = tile.panel + tileOffset(column: 1 * tileWidth, panelStride)
    let panel2 = tile.panel + tileOffset(column: 2 * tileWidth, panelStride)
    let panel3 = tile.panel + tileOffset(column: 3 * tileWidth, panelStride)
    let c = tile.result
    var sum0 = startRow(c, columns: tileWidth, reloading: tile.reloading)
    var sum1 = startRow(c + tileWidth, columns: tileWidth, reloading: tile.reloading)
    var sum2 = startRow(c + 2 * tileWidth, columns: tileWidth, reloading: tile.reloading)
    var sum3 = startRow(c + 3 * tileWidth, columns: tileWidth, reloading: tile.reloading)
    for k in 0..<tile.depth {
        let weights0 = loadRow(tile.panel + k * panelWidth)
        let weights1 = loadRow(panel1 + k * panelWidth)
        let weights2 = loadRow(panel2 + k * panelWidth)
        let weights3 = loadRow(panel3 + k * panelWidth)
        addRow(tile.a[k], weights0, to: &sum0, pairs: pairs)
        addRow(tile.a[k], weights1, to: &sum1, pairs: pairs)
        addRow(tile.a[k], weights2, to: &sum2, pairs: pairs)
        addRow(tile.a[k], weights3, to: &sum3, pairs: pairs)
    }
    storeRow(sum0, c, columns: tileWidth)
    storeRow(sum1, c + tileWidth, columns: tileWidth)
    storeRow(sum2, c + 2 * tileWidth, columns: tileWidth)
    storeRow(sum3, c + 3 * tileWidth, columns: tileWidth)
}

/// The tile's two rows with two tiles' columns at once, all whole and their panels `panelStride` apart: as many chains as
/// the units' latency needs.
@inline(never)
func multiplyTwoRows(_ tile: Tile, panelStride: Int, pairs: Bool) {
    if pairs {
        twoRowsChains(tile, panelStride: panelStride, pairs: true)
    } else {
        twoRowsChains(tile, panelStride: panelStride, pairs: false)
    }
}

@inline(__always)
private func twoRowsChains(_ tile: Tile, panelStride: Int, pairs: Bool) {
    let panel1 = tile.panel + tileOffset(column: 1 * tileWidth, panelStride)
    let c0 = tile.result
    let c1 = tile.result + tile.resultStride
    var sum00 = startRow(c0, columns: tileWidth, reloading: tile.reloading)
    var sum01 = startRow(c0 + tileWidth, columns: tileWidth, reloading: tile.reloading)
    var sum10 = startRow(c1, columns: tileWidth, reloading: tile.reloading)
    var sum11 = startRow(c1 + tileWidth, columns: tileWidth, reloading: tile.reloading)
    for k in 0..<tile.depth {
        let weights0 = loadRow(tile.panel + k * panelWidth)
        let weights1 = loadRow(panel1 + k * panelWidth)
        addRow(tile.a[k], weights0, to: &sum00, pairs: pairs)
        addRow(tile.a[k], weights1, to: &sum01, pairs: pairs)
        addRow(tile.a[tile.rowStride + k], weights0, to: &sum10, pairs: pairs)
        addRow(tile.a[tile.rowStride + k], weights1, to: &sum11, pairs: pairs)
    }
    storeRow(sum00, c0, columns: tileWidth)
    storeRow(sum01, c0 + tileWidth, columns: tileWidth)
    storeRow(sum10, c1, columns: tileWidth)
    storeRow(sum11, c1 + tileWidth, columns: tileWidth)
}
