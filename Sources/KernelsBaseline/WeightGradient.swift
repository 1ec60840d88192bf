import CSIMD

/// How many rows a block takes at most.
private let gradientRowBlock = 256

/// The floats of packed input panels that a group takes: they stay in the second-level cache while outputs pass.
private let gradientGroupFloats = 128 * 1024

/// Up to so many floats, output gradients are read where they are; above, every tile of them is first copied together.
private let directFloats = 128 * 1024

/// Columns of the inputs in a group, a multiple of the panel's.
@inline(__always)
private func groupColumns(rows: Int, inputs: Int) -> Int {
    let largest = max(1, gradientGroupFloats / (panelWidth * max(1, rows)))
    return min(largest, (inputs + panelWidth - 1) / panelWidth) * panelWidth
}

/// Rows of a block: all alike but the last.
@inline(__always)
private func blockRows(_ rows: Int) -> Int {
    let blocks = max(1, (rows + gradientRowBlock - 1) / gradientRowBlock)
    return (rows + blocks - 1) / blocks
}

/// The floats of workspace that `weightGradient` needs: a group of panels, one tile of output gradients, and a vector,
/// since tiles are copied by whole vectors.
@inline(never)
public func weightGradientWorkspace(rows: Int, outputs: Int, inputs: Int) -> Int {
    let blockRows = blockRows(rows)
    return blockRows * (groupColumns(rows: blockRows, inputs: inputs) + tileHeight) + lanes
}

/// dW[outputs, inputs] += dYᵀ X, each element one chain over rows ascending; see
/// `Kernels.MatrixProduct.weightGradient`.
@inline(never)
public func weightGradient(
    outputGradient: UnsafePointer<Float>, outputStride: Int, input: UnsafePointer<Float>, inputStride: Int, rows: Int,
    outputs: Int, inputs: Int, accumulatingInto gradient: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
) {
    weightGradientOfLanes(
        outputGradient: outputGradient, outputStride: outputStride, input: input, inputStride: inputStride, rows: rows,
        outputs: outputs, inputs: inputs, accumulatingInto: gradient, workspace: workspace, pairs: false)
}

/// The weight gradient from lanes that are floats, or `pairs` of bfloat16 from two rows each.
@inline(never)
func weightGradientOfLanes(
    outputGradient: UnsafePointer<Float>, outputStride: Int, input: UnsafePointer<Float>, inputStride: Int, rows: Int,
    outputs: Int, inputs: Int, accumulatingInto gradient: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>, pairs: Bool
) {
    let blockRows = blockRows(rows)
    let groupColumns = groupColumns(rows: blockRows, inputs: inputs)
    let packedTile = workspace + blockRows * groupColumns
    var firstRow = 0
    while firstRow < rows {
        let count = min(blockRows, rows - firstRow)
        var column = 0
        while column < inputs {
            let columns = min(groupColumns, inputs - column)
            packPanels(
                input + firstRow * inputStride + column, rows: count, rowStride: inputStride, columns: columns,
                into: workspace)
            let first = outputGradient + firstRow * outputStride
            let group: Strip = (
                a: first, rowStride: 1, depthStride: outputStride, panel: UnsafePointer(workspace),
                panelStride: panelWidth * count, depth: count, result: gradient + column, resultStride: inputs,
                columns: columns, reloading: true, following: gradient + column, ahead: first, aheadPanelStride: 0,
                aheadColumns: 0, aheadStride: 0
            )
            gradientGroup(group, outputs: outputs, packedTile: packedTile, pairs: pairs)
            column += columns
        }
        firstRow += count
    }
}

/// All outputs with one group of panels.
@inline(__always)
private func gradientGroup(_ group: Strip, outputs: Int, packedTile: UnsafeMutablePointer<Float>, pairs: Bool) {
    let direct = outputs * group.depth <= directFloats
    var output = 0
    while output < outputs {
        var tile = group
        tile.a += output
        tile.result += output * group.resultStride
        if direct {
            let height = nextTileHeight(outputs - output)
            gradientTiles(tile, height: height, pairs: pairs)
            output += height
        } else {
            let width = min(tileHeight, outputs - output)
            packTile(
                tile.a, rows: group.depth, rowStride: group.depthStride, columns: outputs - output, into: packedTile)
            // The next tile of output gradients comes nearer meanwhile, a line a row.
            if output + 2 * tileHeight <= outputs {
                tile.ahead = tile.a + tileHeight
                tile.aheadStride = group.depthStride
                tile.aheadColumns = tileWidth
            }
            tile.a = UnsafePointer(packedTile)
            tile.depthStride = tileHeight
            var part = 0
            while part < width {
                let height = nextTileHeight(width - part)
                gradientTiles(tile, height: height, pairs: pairs)
                tile.a += height
                tile.result += height * group.resultStride
                part += height
            }
            output += width
        }
    }
}

/// `height` outputs with one group of panels.
@inline(__always)
private func gradientTiles(_ group: Strip, height: Int, pairs: Bool) {
    var strip = group
    strip.following = group.result + height * group.resultStride
    multiplyStrip(strip, height: height, pairs: pairs)
}

/// The first columns, as many as the largest tile has rows, of every row together: [rows][height]. A vector is copied
/// at once, of which the next row overwrites what is too much.
@inline(__always)
private func packTile(
    _ source: UnsafePointer<Float>, rows: Int, rowStride: Int, columns: Int, into packed: UnsafeMutablePointer<Float>
) {
    if columns >= lanes {
        for row in 0..<rows { store(load(source + row * rowStride), packed + row * tileHeight) }
    } else {
        for row in 0..<rows { store(loadPrefix(source + row * rowStride, columns), packed + row * tileHeight) }
    }
}
