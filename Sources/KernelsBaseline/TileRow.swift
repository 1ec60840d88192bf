import CSIMD

// One row of a tile of a matrix product: `tileWidth` columns held in registers. It is a tuple or a vector, not a
// structure: one of those would bring metadata with it, whose functions are weak symbols of a common name.

#if KERNELS_AVX512
    typealias TileRow = (left: Vector, right: Vector)

    /// Columns of a tile.
    let tileWidth = 32
    /// Rows of the largest tile: 24 of the 32 registers accumulate.
    let tileHeight = 12
#else
    typealias TileRow = Vector

    /// Columns of a tile.
    let tileWidth = 16
    #if KERNELS_FMA || arch(arm64)
        /// Rows of the largest tile: 12 of AVX2's 16 registers accumulate.
        let tileHeight = 6
    #else
        /// Rows of the largest tile: 8 of SSE's 16 registers accumulate.
        let tileHeight = 2
    #endif
#endif

#if KERNELS_BF16
    /// Whether tiles multiply pairs of bfloat16 values. Without an instruction that does, they multiply floats, the second of a
    /// pair and then the first, with the same bits.
    let tilesTakePairs = true
#else
    let tilesTakePairs = false
#endif

/// Columns `0 ..< tileWidth` at `source`.
@inline(__always)
func loadRow(_ source: UnsafePointer<Float>) -> TileRow {
    #if KERNELS_AVX512
        return (load(source), load(source + lanes))
    #else
        return load(source)
    #endif
}

/// The start of a row's chain: zero, or where `reloading` the first `columns` values at `source`.
@inline(__always)
func startRow(_ source: UnsafeMutablePointer<Float>, columns: Int, reloading: Bool) -> TileRow {
    #if KERNELS_AVX512
        if !reloading { return (broadcast(0), broadcast(0)) }
        return columns >= tileWidth
            ? (load(source), load(source + lanes))
            : (loadSome(source, columns), loadSome(source + lanes, columns - lanes))
    #else
        return reloading ? loadSome(source, columns) : broadcast(0)
    #endif
}

/// row += factor * other: one FMA a column, or where the lanes are `pairs` of bfloat16 two.
@inline(__always)
func addRow(_ factor: Float, _ other: TileRow, to row: inout TileRow, pairs: Bool) {
    let factor = broadcast(factor)
    #if KERNELS_AVX512
        row.left = addProduct(factor, other.left, row.left, pairs: pairs)
        row.right = addProduct(factor, other.right, row.right, pairs: pairs)
    #else
        row = addProduct(factor, other, row, pairs: pairs)
    #endif
}

@inline(__always)
func addProduct(_ a: Vector, _ b: Vector, _ sum: Vector, pairs: Bool) -> Vector {
    pairs ? addPairProducts(a, b, to: sum) : multiplyAdd(a, b, sum)
}

/// A step of a row: what stands at `a` times `other`. Of `pairs` that are taken as single values there are two at `a`.
@inline(__always)
func addLane(_ a: UnsafePointer<Float>, _ other: TileRow, to row: inout TileRow, pairs: Bool) {
    #if !KERNELS_BF16
        if pairs {
            addRow(a[0], highValues(other), to: &row, pairs: false)
            addRow(a[1], lowValues(other), to: &row, pairs: false)
            return
        }
    #endif
    addRow(a[0], other, to: &row, pairs: pairs)
}

/// Writes the first `columns` values and nothing beyond.
@inline(__always)
func storeRow(_ row: TileRow, _ destination: UnsafeMutablePointer<Float>, columns: Int) {
    #if KERNELS_AVX512
        if columns >= tileWidth {
            store(row.left, destination)
            store(row.right, destination + lanes)
        } else {
            storeSome(row.left, destination, columns)
            storeSome(row.right, destination + lanes, columns - lanes)
        }
    #else
        storeSome(row, destination, columns)
    #endif
}

/// A row each of four.
typealias FourRows = (TileRow, TileRow, TileRow, TileRow)

/// One, two and three times the distance of rows, each in a register, so that any of four rows is one address. The compiler
/// would make the addresses out of one another, row after row: a tile would take the time of those additions.
typealias RowOffsets = (one: Int, two: Int, three: Int)

@inline(__always)
func rowOffsets(_ stride: Int) -> RowOffsets {
    (stride, opaque(2 * stride), opaque(3 * stride))
}

/// The start of the chains of four rows, from `source` on: see `startRow`.
@inline(__always)
func startFour(
    _ source: UnsafeMutablePointer<Float>, _ offsets: RowOffsets, columns: Int, reloading: Bool
) -> FourRows {
    (
        startRow(source, columns: columns, reloading: reloading),
        startRow(source + offsets.one, columns: columns, reloading: reloading),
        startRow(source + offsets.two, columns: columns, reloading: reloading),
        startRow(source + offsets.three, columns: columns, reloading: reloading)
    )
}

/// `addLane` of four rows, whose lanes stand at `a` and `offsets` from it.
@inline(__always)
func addFour(
    _ a: UnsafePointer<Float>, _ offsets: RowOffsets, _ other: TileRow, to rows: inout FourRows, pairs: Bool
) {
    #if !KERNELS_BF16
        if pairs {
            addFactors(a, offsets, highValues(other), to: &rows, pairs: false)
            addFactors(a + 1, offsets, lowValues(other), to: &rows, pairs: false)
            return
        }
    #endif
    addFactors(a, offsets, other, to: &rows, pairs: pairs)
}

/// `addRow` of four rows, whose factors stand at `a` and `offsets` from it.
@inline(__always)
func addFactors(
    _ a: UnsafePointer<Float>, _ offsets: RowOffsets, _ other: TileRow, to rows: inout FourRows, pairs: Bool
) {
    addRow(a[0], other, to: &rows.0, pairs: pairs)
    addRow(a[offsets.one], other, to: &rows.1, pairs: pairs)
    addRow(a[offsets.two], other, to: &rows.2, pairs: pairs)
    addRow(a[offsets.three], other, to: &rows.3, pairs: pairs)
}

/// Writes the first `columns` values of four rows, from `destination` on.
@inline(__always)
func storeFour(_ rows: FourRows, _ destination: UnsafeMutablePointer<Float>, _ offsets: RowOffsets, columns: Int) {
    storeRow(rows.0, destination, columns: columns)
    storeRow(rows.1, destination + offsets.one, columns: columns)
    storeRow(rows.2, destination + offsets.two, columns: columns)
    storeRow(rows.3, destination + offsets.three, columns: columns)
}

/// Brings the lines of a row near: not into the first-level cache, where they would take the place of what a tile reads.
@inline(__always)
func prefetchRow(_ row: UnsafePointer<Float>) {
    prefetch(row)
    prefetch(row + tileWidth - 1)
}

#if KERNELS_AVX512
    @inline(__always)
    func highValues(_ row: TileRow) -> TileRow {
        (highValues(row.left), highValues(row.right))
    }

    @inline(__always)
    func lowValues(_ row: TileRow) -> TileRow {
        (lowValues(row.left), lowValues(row.right))
    }
#endif
