import CSIMD

// What compact rows of keys or values are multiplied by, a query's dimensions or the weights of keys, are pairs as well, the
// factors of 16 rows in a vector. Where tiles take no pairs they are floats, in two vectors: the second of each pair, which comes
// first, and the first. No loop then takes them apart.

/// Floats that the factors of 16 compact rows take.
private let factorsLength = tilesTakePairs ? lanes : 2 * lanes

/// The floats that the factors of so many compact rows take, in whole vectors.
@inline(__always)
func factorsCount(_ rows: Int) -> Int {
    wholeVectors(rows) / lanes * factorsLength
}

/// Where the factor of a row begins.
@inline(__always)
func factorOffset(_ row: Int, compact: Bool) -> Int {
    compact && !tilesTakePairs ? row / lanes * factorsLength + row % lanes : row
}

/// Writes the factors of 16 compact rows.
@inline(__always)
func storeFactors(_ pairs: Vector, _ factors: UnsafeMutablePointer<Float>) {
    if tilesTakePairs {
        store(pairs, factors)
    } else {
        store(highValues(pairs), factors)
        store(lowValues(pairs), factors + lanes)
    }
}

/// Neighbouring values as factors of compact rows; those behind the last one become zeros.
@inline(__always)
func storeFactors(_ values: UnsafePointer<Float>, _ count: Int, into factors: UnsafeMutablePointer<Float>) {
    var first = 0
    var factors = factors
    while first < count {
        let left = count - first
        storeFactors(
            pairsOfNeighbours(loadSome(values + first, left), loadSome(values + first + lanes, left - lanes)), factors)
        factors += factorsLength
        first += 2 * lanes
    }
}

/// sum + the factor of a row · the row's values.
@inline(__always)
func addFactorProduct(_ factor: UnsafePointer<Float>, _ row: Vector, _ sum: Vector, pairs: Bool) -> Vector {
    guard pairs && !tilesTakePairs else { return addProduct(broadcast(factor[0]), row, sum, pairs: pairs) }
    let second = multiplyAdd(broadcast(factor[0]), highValues(row), sum)
    return multiplyAdd(broadcast(factor[lanes]), lowValues(row), second)
}

/// sum += factor · values, for one row of them.
@inline(__always)
func addFactorRow(_ factor: UnsafePointer<Float>, _ values: TileRow, to sum: inout TileRow, pairs: Bool) {
    #if KERNELS_AVX512
        sum.left = addFactorProduct(factor, values.left, sum.left, pairs: pairs)
        sum.right = addFactorProduct(factor, values.right, sum.right, pairs: pairs)
    #else
        sum = addFactorProduct(factor, values, sum, pairs: pairs)
    #endif
}
