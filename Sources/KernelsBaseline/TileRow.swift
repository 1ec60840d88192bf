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

/// Columns `0 ..< tileWidth` at `source`.
@inline(__always)
func loadRow(_ source: UnsafePointer<Float>) -> TileRow {
    #if KERNELS_AVX512
        return (load(source), load(source + lanes))
    #else
        return load(source)
    #endif
}

/// The start of the chains of one of the tile's rows: zero, or where it reloads what the result holds.
@inline(__always)
func startRow(_ tile: Tile, _ row: Int) -> TileRow {
    startRow(tile.result + row * tile.resultStride, columns: tile.columns, reloading: tile.reloading)
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

/// Writes one of the tile's rows, no more than the tile's columns.
@inline(__always)
func storeRow(_ values: TileRow, _ tile: Tile, _ row: Int) {
    storeRow(values, tile.result + row * tile.resultStride, columns: tile.columns)
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

/// One, two and three times the distance of the rows of A, each in a register, so that any of four rows is one address. The
/// compiler would make them out of one another, row after row: the tile would take the time of those additions.
typealias RowOffsets = (one: Int, two: Int, three: Int)

@inline(__always)
func rowOffsets(_ rowStride: Int) -> RowOffsets {
    (rowStride, opaque(2 * rowStride), opaque(3 * rowStride))
}

/// The start of the chains of four of the tile's rows, from `first` on.
@inline(__always)
func startFour(_ tile: Tile, _ first: Int) -> FourRows {
    (startRow(tile, first), startRow(tile, first + 1), startRow(tile, first + 2), startRow(tile, first + 3))
}

/// Of four rows whose lanes stand at `a` and `offsets` from it.
@inline(__always)
func addFour(
    _ a: UnsafePointer<Float>, _ offsets: RowOffsets, _ weights: TileRow, to rows: inout FourRows, pairs: Bool
) {
    addRow(a[0], weights, to: &rows.0, pairs: pairs)
    addRow(a[offsets.one], weights, to: &rows.1, pairs: pairs)
    addRow(a[offsets.two], weights, to: &rows.2, pairs: pairs)
    addRow(a[offsets.three], weights, to: &rows.3, pairs: pairs)
}

@inline(__always)
func storeFour(_ rows: FourRows, _ tile: Tile, _ first: Int) {
    storeRow(rows.0, tile, first)
    storeRow(rows.1, tile, first + 1)
    storeRow(rows.2, tile, first + 2)
    storeRow(rows.3, tile, first + 3)
}
