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
    packPanels(weight, rows: outputs, rowStride: depth, columns: depth, into: packed, pairs: false, apart: false)
}

/// Rows that are packed together, an even number: as many streams are read, and every panel gets a whole stretch of memory.
private let rowsTogether = 16

/// `columns` of every row to panels [⌈columns/32⌉][rows][32], zero padded; of rows or of `pairs` of rows, see `packRows`.
@inline(__always)
func packPanels(
    _ source: UnsafePointer<Float>, rows: Int, rowStride: Int, columns: Int, into panels: UnsafeMutablePointer<Float>,
    pairs: Bool, apart: Bool
) {
    let panelStride = panelWidth * packedRows(rows, pairs: pairs, apart: apart)
    var row = 0
    while row < rows {
        let count = min(rowsTogether, rows - row)
        let destination = panels + panelWidth * packedRows(row, pairs: pairs, apart: apart)
        var column = 0
        while column < columns {
            packRows(
                source + row * rowStride + column, rows: count, rowStride: rowStride, columns: columns - column,
                vectors: panelWidth / lanes, into: destination + tileOffset(column: column, panelStride),
                stride: panelWidth, pairs: pairs, apart: apart)
            column += panelWidth
        }
        row += count
    }
}

/// The rows that `packRows` makes of so many.
@inline(__always)
func packedRows(_ rows: Int, pairs: Bool, apart: Bool) -> Int {
    let pairCount = (rows + 1) / 2
    return pairs ? (apart ? 2 * pairCount : pairCount) : rows
}

/// `columns` of every row to rows of `vectors` vectors, `stride` apart, filled up with zeros.
///
/// Where `pairs`, two rows become one of bfloat16 pairs, or where these are to be `apart` two of single values, the second
/// row of a pair first: the order in which products add them. A row left over is paired with zeros.
@inline(__always)
func packRows(
    _ source: UnsafePointer<Float>, rows: Int, rowStride: Int, columns: Int, vectors: Int,
    into packed: UnsafeMutablePointer<Float>, stride: Int, pairs: Bool, apart: Bool
) {
    // The compiler drops all conditions from the first of these.
    if columns >= vectors * lanes {
        packPrefixes(
            source, rows: rows, rowStride: rowStride, columns: vectors * lanes, vectors: vectors, into: packed,
            stride: stride, pairs: pairs, apart: apart)
    } else {
        packPrefixes(
            source, rows: rows, rowStride: rowStride, columns: columns, vectors: vectors, into: packed, stride: stride,
            pairs: pairs, apart: apart)
    }
}

@inline(__always)
private func packPrefixes(
    _ source: UnsafePointer<Float>, rows: Int, rowStride: Int, columns: Int, vectors: Int,
    into packed: UnsafeMutablePointer<Float>, stride: Int, pairs: Bool, apart: Bool
) {
    var low = source
    var packed = packed
    if !pairs {
        for _ in 0..<rows {
            for vector in 0..<vectors {
                store(loadSome(low + vector * lanes, columns - vector * lanes), packed + vector * lanes)
            }
            low += rowStride
            packed += stride
        }
        return
    }
    for _ in 0..<rows / 2 {
        for vector in 0..<vectors {
            let left = columns - vector * lanes
            let lower = loadSome(low + vector * lanes, left)
            let upper = loadSome(low + rowStride + vector * lanes, left)
            storePairs(pairsOfRows(low: lower, high: upper), packed + vector * lanes, stride: stride, apart: apart)
        }
        low += 2 * rowStride
        packed += apart ? 2 * stride : stride
    }
    if rows % 2 > 0 {
        for vector in 0..<vectors {
            let lower = loadSome(low + vector * lanes, columns - vector * lanes)
            storePairs(
                pairsOfRows(low: lower, high: broadcast(0)), packed + vector * lanes, stride: stride, apart: apart)
        }
    }
}

@inline(__always)
private func storePairs(_ pairs: Vector, _ destination: UnsafeMutablePointer<Float>, stride: Int, apart: Bool) {
    if apart {
        store(highValues(pairs), destination)
        store(lowValues(pairs), destination + stride)
    } else {
        store(pairs, destination)
    }
}
