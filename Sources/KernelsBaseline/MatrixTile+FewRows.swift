/// Where the tile at `column` of a group of panels starts.
@inline(__always)
func tileOffset(column: Int, _ panelStride: Int) -> Int {
    column / panelWidth * panelStride + column % panelWidth
}

/// One row with four tiles' columns at once, all whole: as many chains as the units' latency needs. See `multiplyTile1`.
@inline(never)
func multiplyOneRow(
    _ a: UnsafePointer<Float>, panels: UnsafePointer<Float>, panelStride: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, reloading: Bool
) {
    let panel1 = panels + tileOffset(column: 1 * TileRow.width, panelStride)
    let panel2 = panels + tileOffset(column: 2 * TileRow.width, panelStride)
    let panel3 = panels + tileOffset(column: 3 * TileRow.width, panelStride)
    var sum0 = TileRow(c, columns: TileRow.width, reloading: reloading)
    var sum1 = TileRow(c + TileRow.width, columns: TileRow.width, reloading: reloading)
    var sum2 = TileRow(c + 2 * TileRow.width, columns: TileRow.width, reloading: reloading)
    var sum3 = TileRow(c + 3 * TileRow.width, columns: TileRow.width, reloading: reloading)
    for k in 0..<depth {
        let weights0 = TileRow(panels + k * panelWidth)
        let weights1 = TileRow(panel1 + k * panelWidth)
        let weights2 = TileRow(panel2 + k * panelWidth)
        let weights3 = TileRow(panel3 + k * panelWidth)
        sum0.add(a[k], weights0)
        sum1.add(a[k], weights1)
        sum2.add(a[k], weights2)
        sum3.add(a[k], weights3)
    }
    sum0.write(c, columns: TileRow.width)
    sum1.write(c + TileRow.width, columns: TileRow.width)
    sum2.write(c + 2 * TileRow.width, columns: TileRow.width)
    sum3.write(c + 3 * TileRow.width, columns: TileRow.width)
}

/// Two rows with two tiles' columns at once, all whole: as many chains as the units' latency needs. See `multiplyTile1`.
@inline(never)
func multiplyTwoRows(
    _ a: UnsafePointer<Float>, rowStride: Int, panels: UnsafePointer<Float>, panelStride: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, reloading: Bool
) {
    let panel1 = panels + tileOffset(column: 1 * TileRow.width, panelStride)
    var sum00 = TileRow(c, columns: TileRow.width, reloading: reloading)
    var sum01 = TileRow(c + TileRow.width, columns: TileRow.width, reloading: reloading)
    var sum10 = TileRow(c + resultStride, columns: TileRow.width, reloading: reloading)
    var sum11 = TileRow(c + resultStride + TileRow.width, columns: TileRow.width, reloading: reloading)
    for k in 0..<depth {
        let weights0 = TileRow(panels + k * panelWidth)
        let weights1 = TileRow(panel1 + k * panelWidth)
        sum00.add(a[k], weights0)
        sum01.add(a[k], weights1)
        sum10.add(a[rowStride + k], weights0)
        sum11.add(a[rowStride + k], weights1)
    }
    sum00.write(c, columns: TileRow.width)
    sum01.write(c + TileRow.width, columns: TileRow.width)
    sum10.write(c + resultStride, columns: TileRow.width)
    sum11.write(c + resultStride + TileRow.width, columns: TileRow.width)
}
