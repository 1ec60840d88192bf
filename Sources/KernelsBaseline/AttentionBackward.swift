import CSIMD

/// Queries whose probabilities are held at once.
private let backwardTile = 16

/// Where the parts of the workspace of `attentionBackward` stand. Rows are padded to whole vectors with zeros, and
/// their number to whole blocks.
private struct BackwardWorkspace {
    let width: Int
    let keyRows: Int
    let keys: UnsafeMutablePointer<Float>
    let transposedKeys: UnsafeMutablePointer<Float>
    let transposedValues: UnsafeMutablePointer<Float>
    let queries: UnsafeMutablePointer<Float>
    let outputGradients: UnsafeMutablePointer<Float>
    let keyGradients: UnsafeMutablePointer<Float>
    let valueGradients: UnsafeMutablePointer<Float>
    let probabilities: UnsafeMutablePointer<Float>
    let slopes: UnsafeMutablePointer<Float>

    @inline(__always)
    init(_ base: UnsafeMutablePointer<Float>, headDimension: Int, positions: Int) {
        width = wholeVectors(headDimension)
        keyRows = wholeVectors(positions)
        let matrix = keyRows * width
        let scores = backwardTile * keyRows
        keys = base
        transposedKeys = base + matrix
        transposedValues = base + 2 * matrix
        queries = base + 3 * matrix
        outputGradients = base + 4 * matrix
        keyGradients = base + 5 * matrix
        valueGradients = base + 6 * matrix
        probabilities = base + 7 * matrix
        slopes = probabilities + scores
    }
}

/// The floats of workspace that `attentionBackward` needs.
@inline(never)
public func attentionBackwardWorkspaceCount(headDimension: Int, positions: Int) -> Int {
    let rows = wholeVectors(positions)
    // The parts of `BackwardWorkspace`, and a vector that tiles may read beyond the last row.
    return 7 * rows * wholeVectors(headDimension) + 2 * backwardTile * rows + lanes
}

/// Gradients of causal attention of one head; see `Kernels.Attention.backward`.
@inline(never)
public func attentionBackward(
    query: UnsafePointer<Float>, queryStride: Int, queryCount: Int, firstPosition: Int, key: UnsafePointer<Float>,
    value: UnsafePointer<Float>, keyValueStride: Int, headDimension: Int, scale: Float, compact: Bool,
    outputGradient: UnsafePointer<Float>, outputStride: Int,
    logSumExp: UnsafePointer<Float>, queryGradient: UnsafeMutablePointer<Float>, queryGradientStride: Int,
    keyGradient: UnsafeMutablePointer<Float>, valueGradient: UnsafeMutablePointer<Float>, keyValueGradientStride: Int,
    workspace: UnsafeMutablePointer<Float>
) {
    let positions = firstPosition + queryCount
    let parts = BackwardWorkspace(workspace, headDimension: headDimension, positions: positions)
    let width = parts.width
    let matrix = parts.keyRows * width
    copyRows(value, keyValueStride, positions, headDimension, rounding: compact, into: parts.keys, parts.keyRows)
    transposeRows(parts.keys, parts.keyRows, width, into: parts.transposedValues)
    copyRows(key, keyValueStride, positions, headDimension, rounding: compact, into: parts.keys, parts.keyRows)
    transposeRows(parts.keys, parts.keyRows, width, into: parts.transposedKeys)
    copyRows(
        query, queryStride, queryCount, headDimension, rounding: compact, into: parts.queries, wholeVectors(queryCount))
    copyRows(
        outputGradient, outputStride, queryCount, headDimension, rounding: false, into: parts.outputGradients,
        wholeVectors(queryCount))
    elementwiseFill(parts.keyGradients, with: 0, count: 2 * matrix)

    var first = 0
    while first < queryCount {
        let count = min(backwardTile, queryCount - first)
        let blocks = (firstPosition + first + count - 1) / blockLength + 1
        var member = 0
        while member < backwardTile {
            slopesOfTile(
                parts, first: first + member, member: member, queryCount: queryCount, firstPosition: firstPosition,
                blocks: blocks, headDimension: headDimension, scale: scale, logSumExp: logSumExp)
            member += queryTile
        }
        var column = 0
        while column < headDimension {
            let columns = headDimension - column
            member = 0
            while member < count {
                multiplyRows(
                    parts.slopes + member * parts.keyRows, rowStride: parts.keyRows, depthStride: 1,
                    parts.keys + column, width, depth: blocks * blockLength,
                    into: queryGradient + (first + member) * queryGradientStride + column, queryGradientStride,
                    rows: min(queryTile, count - member), columns: columns, reloading: false)
                member += queryTile
            }
            var position = 0
            while position < blocks * blockLength {
                let offset = position * width + column
                multiplyRows(
                    parts.slopes + position, rowStride: 1, depthStride: parts.keyRows,
                    parts.queries + first * width + column, width, depth: count, into: parts.keyGradients + offset,
                    width,
                    rows: queryTile, columns: width - column, reloading: true)
                multiplyRows(
                    parts.probabilities + position, rowStride: 1, depthStride: parts.keyRows,
                    parts.outputGradients + first * width + column, width, depth: count,
                    into: parts.valueGradients + offset, width, rows: queryTile, columns: width - column,
                    reloading: true)
                position += queryTile
            }
            column += tileWidth
        }
        first += count
    }
    addRows(parts.keyGradients, width, positions, headDimension, into: keyGradient, keyValueGradientStride)
    addRows(parts.valueGradients, width, positions, headDimension, into: valueGradient, keyValueGradientStride)
}

/// Probabilities p = exp(scale q·k - logSumExp) and slopes scale p (dO·v - Σ p dO·v) of four queries with all keys of the
/// blocks; zero where the key stands behind the query and where there is no query.
@inline(__always)
private func slopesOfTile(
    _ parts: BackwardWorkspace, first: Int, member: Int, queryCount: Int, firstPosition: Int, blocks: Int,
    headDimension: Int, scale: Float, logSumExp: UnsafePointer<Float>
) {
    let width = parts.width
    let query = parts.queries + first * width
    let upstream = parts.outputGradients + first * width
    for block in 0..<blocks {
        let keys = parts.transposedKeys + block * blockLength * width
        let values = parts.transposedValues + block * blockLength * width
        var score0 = broadcast(0)
        var score1 = broadcast(0)
        var score2 = broadcast(0)
        var score3 = broadcast(0)
        var change0 = broadcast(0)
        var change1 = broadcast(0)
        var change2 = broadcast(0)
        var change3 = broadcast(0)
        for d in 0..<headDimension {
            let key = load(keys + d * blockLength)
            let value = load(values + d * blockLength)
            score0 = multiplyAdd(broadcast(query[d]), key, score0)
            score1 = multiplyAdd(broadcast(query[width + d]), key, score1)
            score2 = multiplyAdd(broadcast(query[2 * width + d]), key, score2)
            score3 = multiplyAdd(broadcast(query[3 * width + d]), key, score3)
            change0 = multiplyAdd(broadcast(upstream[d]), value, change0)
            change1 = multiplyAdd(broadcast(upstream[width + d]), value, change1)
            change2 = multiplyAdd(broadcast(upstream[2 * width + d]), value, change2)
            change3 = multiplyAdd(broadcast(upstream[3 * width + d]), value, change3)
        }
        let offset = member * parts.keyRows + block * blockLength
        storeRaw(score0, change0, parts, offset)
        storeRaw(score1, change1, parts, offset + parts.keyRows)
        storeRaw(score2, change2, parts, offset + 2 * parts.keyRows)
        storeRaw(score3, change3, parts, offset + 3 * parts.keyRows)
    }
    for index in 0..<queryTile {
        let probabilities = parts.probabilities + (member + index) * parts.keyRows
        let slopes = parts.slopes + (member + index) * parts.keyRows
        let keys = first + index < queryCount ? firstPosition + first + index + 1 : 0
        let logarithm = keys > 0 ? logSumExp[first + index] : 0
        var mean = broadcast(0)
        for block in 0..<blocks {
            let left = keys - block * blockLength
            let scores = load(probabilities + block * blockLength) * broadcast(scale)
            let power = exponential(scores - broadcast(logarithm))
            let probability = left >= lanes ? power : firstLanes(power, left)
            mean = multiplyAdd(probability, load(slopes + block * blockLength), mean)
            store(probability, probabilities + block * blockLength)
        }
        // Of these very probabilities, so that a query's slopes add up to 0: the output is of rounded ones, where blocks are
        // compact.
        let delta = broadcast(laneSum(mean))
        for block in 0..<blocks {
            let offset = block * blockLength
            let change = (load(slopes + offset) - delta) * broadcast(scale)
            store(load(probabilities + offset) * change, slopes + offset)
        }
    }
}

@inline(__always)
private func storeRaw(_ scores: Vector, _ changes: Vector, _ parts: BackwardWorkspace, _ offset: Int) {
    store(scores, parts.probabilities + offset)
    store(changes, parts.slopes + offset)
}

/// Up to four rows of a product: result (+)= a · b, with b in rows `stride` apart; see `multiplyTile1` for `a`. Columns
/// beyond `columns` are read and not written.
@inline(never)
private func multiplyRows(
    _ a: UnsafePointer<Float>, rowStride: Int, depthStride: Int, _ b: UnsafePointer<Float>, _ stride: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, _ resultStride: Int, rows: Int, columns: Int, reloading: Bool
) {
    var row0 = startRow(c, columns: columns, reloading: reloading)
    var row1 = startRow(c + resultStride, columns: columns, reloading: reloading && rows > 1)
    var row2 = startRow(c + 2 * resultStride, columns: columns, reloading: reloading && rows > 2)
    var row3 = startRow(c + 3 * resultStride, columns: columns, reloading: reloading && rows > 3)
    var a = a
    var b = b
    for _ in 0..<depth {
        let factors = loadRow(b)
        addRow(a[0], factors, to: &row0, pairs: false)
        addRow(a[rowStride], factors, to: &row1, pairs: false)
        addRow(a[2 * rowStride], factors, to: &row2, pairs: false)
        addRow(a[3 * rowStride], factors, to: &row3, pairs: false)
        a += depthStride
        b += stride
    }
    storeRow(row0, c, columns: columns)
    if rows > 1 { storeRow(row1, c + resultStride, columns: columns) }
    if rows > 2 { storeRow(row2, c + 2 * resultStride, columns: columns) }
    if rows > 3 { storeRow(row3, c + 3 * resultStride, columns: columns) }
}

/// Rows of `columns`, where `rounding` as bfloat16 holds them, to padded rows without gaps, and rows of zeros up to `paddedRows`.
@inline(__always)
private func copyRows(
    _ source: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ columns: Int, rounding: Bool,
    into destination: UnsafeMutablePointer<Float>, _ paddedRows: Int
) {
    let width = wholeVectors(columns)
    for row in 0..<rows {
        var column = 0
        while column < width {
            let values = loadSome(source + row * stride + column, columns - column)
            store(
                rounding ? lowValues(pairsOfRows(low: values, high: values)) : values,
                destination + row * width + column)
            column += lanes
        }
    }
    elementwiseFill(destination + rows * width, with: 0, count: (paddedRows - rows) * width)
}

/// Rows [rows][width] to blocks [rows / 16][width][16].
@inline(__always)
private func transposeRows(
    _ source: UnsafePointer<Float>, _ rows: Int, _ width: Int, into destination: UnsafeMutablePointer<Float>
) {
    var row = 0
    while row < rows {
        var column = 0
        while column < width {
            transposeBlock(
                source + row * width + column, width, destination + row * width + column * blockLength, blockLength)
            column += lanes
        }
        row += blockLength
    }
}

/// Adds the first `columns` of padded rows to rows `stride` apart.
@inline(__always)
private func addRows(
    _ source: UnsafePointer<Float>, _ width: Int, _ rows: Int, _ columns: Int,
    into destination: UnsafeMutablePointer<Float>, _ stride: Int
) {
    for row in 0..<rows {
        var column = 0
        while column < columns {
            let target = destination + row * stride + column
            storeSome(
                loadSome(target, columns - column) + load(source + row * width + column), target, columns - column)
            column += lanes
        }
    }
}
