/// Where the tile at `column` of a group of panels starts.
@inline(__always)
func tileOffset(column: Int, _ panelStride: Int) -> Int {
    column / panelWidth * panelStride + column % panelWidth
}

/// One row with four tiles' columns at once, all whole: as many chains as the units' latency needs. See
/// `multiplyTile1`.
@inline(never)
func multiplyOneRow(
    _ a: UnsafePointer<Float>, panels: UnsafePointer<Float>, panelStride: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, reloading: Bool
) {
    let panel1 = panels + tileOffset(column: 1 * tileWidth, panelStride)
    let panel2 = panels + tileOffset(column: 2 * tileWidth, panelStride)
    let panel3 = panels + tileOffset(column: 3 * tileWidth, panelStride)
    var sum0 = startRow(c, columns: tileWidth, reloading: reloading)
    var sum1 = startRow(c + tileWidth, columns: tileWidth, reloading: reloading)
    var sum2 = startRow(c + 2 * tileWidth, columns: tileWidth, reloading: reloading)
    var sum3 = startRow(c + 3 * tileWidth, columns: tileWidth, reloading: reloading)
    for k in 0..<depth {
        let weights0 = loadRow(panels + k * panelWidth)
        let weights1 = loadRow(panel1 + k * panelWidth)
        let weights2 = loadRow(panel2 + k * panelWidth)
        let weights3 = loadRow(panel3 + k * panelWidth)
        addRow(a[k], weights0, to: &sum0)
        addRow(a[k], weights1, to: &sum1)
        addRow(a[k], weights2, to: &sum2)
        addRow(a[k], weights3, to: &sum3)
    }
    storeRow(sum0, c, columns: tileWidth)
    storeRow(sum1, c + tileWidth, columns: tileWidth)
    storeRow(sum2, c + 2 * tileWidth, columns: tileWidth)
    storeRow(sum3, c + 3 * tileWidth, columns: tileWidth)
}

/// Two rows with two tiles' columns at once, all whole: as many chains as the units' latency needs. See
/// `multiplyTile1`.
@inline(never)
func multiplyTwoRows(
    _ a: UnsafePointer<Float>, rowStride: Int, panels: UnsafePointer<Float>, panelStride: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, reloading: Bool
) {
    let panel1 = panels + tileOffset(column: 1 * tileWidth, panelStride)
    var sum00 = startRow(c, columns: tileWidth, reloading: reloading)
    var sum01 = startRow(c + tileWidth, columns: tileWidth, reloading: reloading)
    var sum10 = startRow(c + resultStride, columns: tileWidth, reloading: reloading)
    var sum11 = startRow(c + resultStride + tileWidth, columns: tileWidth, reloading: reloading)
    for k in 0..<depth {
        let weights0 = loadRow(panels + k * panelWidth)
        let weights1 = loadRow(panel1 + k * panelWidth)
        addRow(a[k], weights0, to: &sum00)
        addRow(a[k], weights1, to: &sum01)
        addRow(a[rowStride + k], weights0, to: &sum10)
        addRow(a[rowStride + k], weights1, to: &sum11)
    }
    storeRow(sum00, c, columns: tileWidth)
    storeRow(sum01, c + tileWidth, columns: tileWidth)
    storeRow(sum10, c + resultStride, columns: tileWidth)
    storeRow(sum11, c + resultStride + tileWidth, columns: tileWidth)
}
