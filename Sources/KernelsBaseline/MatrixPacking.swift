import CSIMD

/// Weight [outputs, depth] to panels [⌈outputs/32⌉][depth][32], zero padded.
@inline(never)
public func packWeight(
    _ weight: UnsafePointer<Float>, outputs: Int, depth: Int, into packed: UnsafeMutablePointer<Float>
) {
    var output = 0
    while output < outputs {
        let destination = packed + output / panelWidth * panelWidth * depth + output % panelWidth
        let rows = min(lanes, outputs - output)
        var k = 0
        while rows == lanes && k + lanes <= depth {
            transposeBlock(weight + output * depth + k, depth, destination + k * panelWidth, panelWidth)
            k += lanes
        }
        while k < depth {
            for column in 0..<lanes {
                destination[k * panelWidth + column] = column < rows ? weight[(output + column) * depth + k] : 0
            }
            k += 1
        }
        output += lanes
    }
    // The second half of the last panel, where no output reaches it.
    if output % panelWidth > 0 {
        let destination = packed + output / panelWidth * panelWidth * depth + output % panelWidth
        for k in 0..<depth { store(broadcast(0), destination + k * panelWidth) }
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
