import CSIMD

/// Lanes of rows in a block at most: a panel of them, and a band of output gradients, then stay in the first-level cache.
private let blockLanes = 256

/// The floats of packed input panels that a group takes: they stay in the second-level cache while outputs pass.
private let gradientGroupFloats = 128 * 1024

/// Lanes of rows in a block, all alike but the last: a row is one; of `pairs`, two rows are one, or two where tiles
/// take single values.
@inline(__always)
private func blockDepth(rows: Int, pairs: Bool) -> Int {
    let lanesOfPair = pairs && !tilesTakePairs ? 2 : 1
    let count = pairs ? (rows + 1) / 2 : rows
    let largest = blockLanes / lanesOfPair
    let blocks = max(1, (count + largest - 1) / largest)
    return (count + blocks - 1) / blocks * lanesOfPair
}

/// Columns of the inputs in a group, a multiple of the panel's; all groups about alike.
@inline(__always)
private func groupColumns(depth: Int, inputs: Int) -> Int {
    let largest = max(1, gradientGroupFloats / (panelWidth * max(1, depth)))
    let panels = (inputs + panelWidth - 1) / panelWidth
    let groups = max(1, (panels + largest - 1) / largest)
    return (panels + groups - 1) / groups * panelWidth
}

/// The floats of a band, and a vector more, since whole vectors are written.
@inline(__always)
private func bandFloats(depth: Int) -> Int {
    bandWidth * depth + lanes
}

/// The floats of workspace that `weightGradient`, or of `pairs` `weightGradientPairs`, needs: a group of panels and two
/// bands.
@inline(never)
public func weightGradientWorkspace(rows: Int, inputs: Int, pairs: Bool) -> Int {
    let depth = blockDepth(rows: rows, pairs: pairs)
    return depth * groupColumns(depth: depth, inputs: inputs) + 2 * bandFloats(depth: depth)
}

/// dW[outputs, inputs] += dYᵀ X, each element one chain over rows ascending; see
/// `Kernels.MatrixProduct.weightGradient`.
@inline(never)
public func weightGradient(
    outputGradient: UnsafePointer<Float>, outputStride: Int, input: UnsafePointer<Float>, inputStride: Int, rows: Int,
    outputs: Int, inputs: Int, accumulatingInto gradient: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
) {
    addWeightGradient(
        outputGradient: outputGradient, outputStride: outputStride, input: input, inputStride: inputStride, rows: rows,
        outputs: outputs, inputs: inputs, to: gradient, workspace: workspace, pairs: false)
}

/// dW[outputs, inputs] += dYᵀ X, both rounded to bfloat16, each element one chain over pairs of rows; see
/// `Kernels.BFloat16Product.weightGradient`.
@inline(never)
public func weightGradientPairs(
    outputGradient: UnsafePointer<Float>, outputStride: Int, input: UnsafePointer<Float>, inputStride: Int, rows: Int,
    outputs: Int, inputs: Int, accumulatingInto gradient: UnsafeMutablePointer<Float>,
    workspace: UnsafeMutablePointer<Float>
) {
    addWeightGradient(
        outputGradient: outputGradient, outputStride: outputStride, input: input, inputStride: inputStride, rows: rows,
        outputs: outputs, inputs: inputs, to: gradient, workspace: workspace, pairs: true)
}

@inline(__always)
private func addWeightGradient(
    outputGradient: UnsafePointer<Float>, outputStride: Int, input: UnsafePointer<Float>, inputStride: Int, rows: Int,
    outputs: Int, inputs: Int, to gradient: UnsafeMutablePointer<Float>, workspace: UnsafeMutablePointer<Float>,
    pairs: Bool
) {
    let apart = pairs && !tilesTakePairs
    let blockDepth = blockDepth(rows: rows, pairs: pairs)
    let blockRows = pairs && tilesTakePairs ? 2 * blockDepth : blockDepth
    let groupColumns = groupColumns(depth: blockDepth, inputs: inputs)
    let bands = workspace + blockDepth * groupColumns
    var row = 0
    while row < rows {
        let count = min(blockRows, rows - row)
        let packing: BandPacking = (
            source: outputGradient + row * outputStride, rowStride: outputStride, rows: count, columns: outputs,
            destination: bands
        )
        var column = 0
        while column < inputs {
            let columns = min(groupColumns, inputs - column)
            packPanels(
                input + row * inputStride + column, rows: count, rowStride: inputStride, columns: columns,
                into: workspace, pairs: pairs, apart: apart)
            let group: GradientTile = (
                a: UnsafePointer(bands), panel: UnsafePointer(workspace),
                depth: packedRows(count, pairs: pairs, apart: apart), result: gradient + column, resultStride: inputs,
                columns: columns, next: gradient + column, ahead: UnsafePointer(bands), aheadStride: 0
            )
            addGroup(group, packing, pairs: pairs)
            column += columns
        }
        row += count
    }
}

/// All outputs with one group of panels, band by band. Two bands take turns: while the tiles of one are computed, the next
/// one's values come nearer and, with the last tile, are packed.
@inline(__always)
private func addGroup(_ group: GradientTile, _ bands: BandPacking, pairs: Bool) {
    let bandFloats = bandFloats(depth: group.depth)
    // Two tiles ahead: with few rows, one takes less time than memory.
    let resultDistance = min(2 * tileWidth, group.columns)
    packBand(bands, pairs: pairs, apart: pairs && !tilesTakePairs)
    var output = 0
    while output < bands.columns {
        let band = output / bandWidth
        let part = output % bandWidth
        let end = min((band + 1) * bandWidth, bands.columns)
        let height = nextTileHeight(end - output)
        var following = bands
        following.source += end
        following.columns -= end
        following.destination += (band + 1) % 2 * bandFloats
        var tile = group
        tile.a += band % 2 * bandFloats + part
        let result = group.result + output * group.resultStride
        var aheadRow = part == 0 && following.columns > 0 ? 0 : bands.rows
        var column = 0
        while column < group.columns {
            let isLast = column + tileWidth >= group.columns
            tile.panel = group.panel + tileOffset(column: column, panelWidth * group.depth)
            tile.result = result + column
            tile.columns = min(tileWidth, group.columns - column)
            let nextColumn = column + resultDistance
            tile.next =
                nextColumn < group.columns
                ? result + nextColumn
                : result + height * group.resultStride + (nextColumn - group.columns) / tileWidth * tileWidth
            tile.ahead = tile.a
            tile.aheadStride = 0
            if aheadRow < bands.rows {
                // The line where a band ends; those before it have come with earlier bands.
                tile.ahead = following.source + aheadRow * bands.rowStride + min(lanes, following.columns) - 1
                tile.aheadStride = bands.rowStride
                aheadRow += group.depth
            }
            if isLast && output + height == end && following.columns > 0 {
                add(tile, height: height, packing: following, pairs: pairs)
            } else {
                add(tile, height: height, pairs: pairs)
            }
            column += tileWidth
        }
        output += height
    }
}

/// One tile.
@inline(__always)
private func add(_ tile: GradientTile, height: Int, pairs: Bool) {
    #if KERNELS_AVX512
        if height == tileHeight {
            addWholeTile(tile, pairs: pairs && tilesTakePairs)
            return
        }
    #elseif KERNELS_FMA
        if height == tileHeight {
            addWholeTile(tile)
            return
        }
    #endif
    addLowTile(tile, height: height, pairs: pairs && tilesTakePairs)
}

/// One tile, and the next band's packing.
@inline(__always)
private func add(_ tile: GradientTile, height: Int, packing: BandPacking, pairs: Bool) {
    #if KERNELS_AVX512
        if height == tileHeight && packing.columns >= lanes && (!pairs || tilesTakePairs && packing.rows % 2 == 0) {
            addWholeTile(tile, packing: packing, pairs: pairs)
            return
        }
    #endif
    packBand(packing, pairs: pairs, apart: pairs && !tilesTakePairs)
    add(tile, height: height, pairs: pairs)
}
