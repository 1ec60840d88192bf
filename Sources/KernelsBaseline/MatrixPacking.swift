/// Weight [outputs, depth] to panels [⌈outputs/32⌉][depth][32], zero padded.
@inline(never)
public func packWeight(
    _ weight: UnsafePointer<Float>, outputs: Int, depth: Int, into packed: UnsafeMutablePointer<Float>
) {
    let panels = (outputs + panelWidth - 1) / panelWidth
    for panel in 0..<panels {
        let destination = packed + panel * depth * panelWidth
        for column in 0..<panelWidth {
            let output = panel * panelWidth + column
            if output < outputs {
                let source = weight + output * depth
                for k in 0..<depth { destination[k * panelWidth + column] = source[k] }
            } else {
                for k in 0..<depth { destination[k * panelWidth + column] = 0 }
            }
        }
    }
}

/// Weight [outputs, depth] to panels [⌈depth/32⌉][outputs][32], zero padded.
@inline(never)
public func packTransposedWeight(
    _ weight: UnsafePointer<Float>, outputs: Int, depth: Int, into packed: UnsafeMutablePointer<Float>
) {
    packPanels(weight, rows: outputs, rowStride: depth, columns: depth, into: packed)
}

/// `columns` of every row to panels [⌈columns/32⌉][rows][32], zero padded.
@inline(__always)
func packPanels(
    _ source: UnsafePointer<Float>, rows: Int, rowStride: Int, columns: Int, into panels: UnsafeMutablePointer<Float>
) {
    let whole = columns / panelWidth * panelWidth
    for row in 0..<rows {
        let values = source + row * rowStride
        let destination = panels + row * panelWidth
        var column = 0
        while column < whole {
            store(load(values + column), destination + column * rows)
            store(load(values + column + lanes), destination + column * rows + lanes)
            column += panelWidth
        }
        if column < columns {
            store(loadSome(values + column, columns - column), destination + column * rows)
            store(loadSome(values + column + lanes, columns - column - lanes), destination + column * rows + lanes)
        }
    }
}
