import CSIMD

/// C[rows, outputs] (+)= A · packed panels, of pairs; see `Kernels.BFloat16Product.multiply`.
@inline(never)
public func multiplyPairs(
    _ a: UnsafePointer<UInt32>, rows: Int, rowStride: Int, packed: UnsafePointer<UInt32>, outputs: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool, coming: ComingReads
) {
    multiplyLanes(
        lanePointer(a), rows: rows, rowStride: rowStride, packed: lanePointer(packed), outputs: outputs, depth: depth,
        into: c, resultStride: resultStride, accumulating: accumulating, coming: coming, pairs: true,
        rounding: nil)
}

/// C[rows, outputs] (+)= A · packed panels, of pairs, for A [rows, width] in floats, rounded to `rounded` when tiles come to it;
/// see `Kernels.BFloat16Product.multiply(rounding:)`.
@inline(never)
public func multiplyRounding(
    _ a: UnsafePointer<Float>, rows: Int, rowStride: Int, width: Int, rounded: UnsafeMutablePointer<UInt32>,
    roundedStride: Int, packed: UnsafePointer<UInt32>, outputs: Int, into c: UnsafeMutablePointer<Float>,
    resultStride: Int, accumulating: Bool, coming: ComingReads
) {
    multiplyLanes(
        lanePointer(UnsafePointer(rounded)), rows: rows, rowStride: roundedStride, packed: lanePointer(packed),
        outputs: outputs, depth: (width + 1) / 2, into: c, resultStride: resultStride, accumulating: accumulating,
        coming: coming, pairs: true, rounding: (a, rowStride, width, lanePointer(rounded), roundedStride))
}

/// The most lanes of a row that a product of many rows reads before it goes on to other rows; see
/// `Kernels.BFloat16Product.roundedBlock`.
@inline(never)
public func roundedBlock() -> Int {
    if tilesTakePairs { return depthBlock }
    return leavesSingleValues(rows: 2 * tileHeight) ? 2 * unpackedDepth : 2 * depthBlock
}

/// Pairs seen as the lanes that kernels carry. Memory of pairs is only ever loaded and stored whole, as bits.
@inline(__always)
func lanePointer(_ pairs: UnsafePointer<UInt32>) -> UnsafePointer<Float> {
    UnsafeRawPointer(pairs).assumingMemoryBound(to: Float.self)
}

@inline(__always)
func lanePointer(_ pairs: UnsafeMutablePointer<UInt32>) -> UnsafeMutablePointer<Float> {
    UnsafeMutableRawPointer(pairs).assumingMemoryBound(to: Float.self)
}
