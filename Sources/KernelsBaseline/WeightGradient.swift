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
            gradientGroup(
                outputGradient + firstRow * outputStride, outputStride: outputStride, outputs: outputs, rows: count,
                panels: UnsafePointer(workspace), columns: columns, into: gradient + column, resultStride: inputs,
                packedTile: packedTile)
            column += columns
        }
        firstRow += count
    }
}

/// All outputs with one group of panels.
@inline(__always)
private func gradientGroup(
    _ outputGradient: UnsafePointer<Float>, outputStride: Int, outputs: Int, rows: Int, panels: UnsafePointer<Float>,
    columns: Int, into gradient: UnsafeMutablePointer<Float>, resultStride: Int,
    packedTile: UnsafeMutablePointer<Float>
) {
    let direct = outputs * rows <= directFloats
    var output = 0
    while output < outputs {
        let source = outputGradient + output
        if direct {
            let height = nextTileHeight(outputs - output)
            gradientTile(
                height, source, depthStride: outputStride, rows: rows, panels: panels, columns: columns,
                into: gradient + output * resultStride, resultStride: resultStride, ahead: source, aheadStride: 0)
            output += height
        } else {
            let width = min(tileHeight, outputs - output)
            packTile(source, rows: rows, rowStride: outputStride, columns: outputs - output, into: packedTile)
            // The next tile of output gradients comes nearer meanwhile, a line a row.
            let following = output + 2 * tileHeight <= outputs ? source + tileHeight : source
            var part = 0
            while part < width {
                let height = nextTileHeight(width - part)
                gradientTile(
                    height, UnsafePointer(packedTile) + part, depthStride: tileHeight, rows: rows, panels: panels,
                    columns: columns, into: gradient + (output + part) * resultStride, resultStride: resultStride,
                    ahead: following, aheadStride: outputStride)
                part += height
            }
            output += width
        }
    }
}

/// One tile of outputs with one group of panels.
@inline(__always)
private func gradientTile(
    _ height: Int, _ a: UnsafePointer<Float>, depthStride: Int, rows: Int, panels: UnsafePointer<Float>, columns: Int,
    into gradient: UnsafeMutablePointer<Float>, resultStride: Int, ahead: UnsafePointer<Float>, aheadStride: Int
) {
    var column = 0
    while column < columns {
        let isLast = column + tileWidth >= columns
        multiplyTile(
            height: height, a, rowStride: 1, depthStride: depthStride,
            panel: panels + (column / panelWidth) * panelWidth * rows + column % panelWidth, depth: rows,
            into: gradient + column, resultStride: resultStride, columns: min(tileWidth, columns - column),
            reloading: true, next: isLast ? gradient + height * resultStride : gradient + column + tileWidth,
            ahead: ahead, aheadStride: isLast ? aheadStride : 0)
        column += tileWidth
    }
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
