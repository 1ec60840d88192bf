/// One row of a tile of a matrix product: `TileRow.width` columns held in registers.
struct TileRow {
    #if KERNELS_AVX512
        static let width = 32
        /// Rows of the largest tile: 24 of the 32 registers accumulate.
        static let height = 12
        private var left: Vector
        private var right: Vector
    #else
        static let width = 16
        #if KERNELS_FMA || arch(arm64)
            /// Rows of the largest tile: 12 of AVX2's 16 registers accumulate.
            static let height = 6
        #else
            static let height = 2
        #endif
        private var all: Vector
    #endif

    /// Columns `0 ..< width` at `source`.
    @inline(__always)
    init(_ source: UnsafePointer<Float>) {
        #if KERNELS_AVX512
            left = load(source)
            right = load(source + lanes)
        #else
            all = load(source)
        #endif
    }

    /// The start of a row's chain: zero, or where `reloading` the first `columns` values at `source`.
    @inline(__always)
    init(_ source: UnsafeMutablePointer<Float>, columns: Int, reloading: Bool) {
        #if KERNELS_AVX512
            if !reloading {
                left = broadcast(0)
                right = broadcast(0)
            } else if columns >= Self.width {
                left = load(source)
                right = load(source + lanes)
            } else {
                left = loadSome(source, columns)
                right = loadSome(source + lanes, columns - lanes)
            }
        #else
            if !reloading {
                all = broadcast(0)
            } else {
                all = loadSome(source, columns)
            }
        #endif
    }

    /// self += factor * row, one FMA a column.
    @inline(__always)
    mutating func add(_ factor: Float, _ row: TileRow) {
        let factor = broadcast(factor)
        #if KERNELS_AVX512
            left = multiplyAdd(factor, row.left, left)
            right = multiplyAdd(factor, row.right, right)
        #else
            all = multiplyAdd(factor, row.all, all)
        #endif
    }

    /// Writes the first `columns` values and nothing beyond.
    @inline(__always)
    func write(_ destination: UnsafeMutablePointer<Float>, columns: Int) {
        #if KERNELS_AVX512
            if columns >= Self.width {
                store(left, destination)
                store(right, destination + lanes)
            } else {
                storeSome(left, destination, columns)
                storeSome(right, destination + lanes, columns - lanes)
            }
        #else
            storeSome(all, destination, columns)
        #endif
    }
}
