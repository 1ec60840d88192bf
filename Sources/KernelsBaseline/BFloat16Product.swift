import CSIMD

/// C[rows, outputs] (+)= A · packed panels, of pairs; see `Kernels.BFloat16Product.multiply`.
@inline(never)
public func multiplyPairs(
    _ a: UnsafePointer<UInt32>, rows: Int, rowStride: Int, packed: UnsafePointer<UInt32>, outputs: Int, depth: Int,
    into c: UnsafeMutablePointer<Float>, resultStride: Int, accumulating: Bool, next: UnsafePointer<UInt32>?
) {
    multiplyLanes(
        lanePointer(a), rows: rows, rowStride: rowStride, packed: lanePointer(packed), outputs: outputs, depth: depth,
        into: c, resultStride: resultStride, accumulating: accumulating, next: next.map(lanePointer), pairs: true)
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
