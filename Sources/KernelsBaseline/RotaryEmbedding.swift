import CSIMD

/// Rotates every head's pairs (d, d + headDimension/2) by the angle of the row's position; see
/// `Kernels.RotaryEmbedding`.
@inline(never)
public func rotaryApply(
    _ x: UnsafeMutablePointer<Float>, rows: Int, rowStride: Int, heads: Int, headDimension: Int,
    positions: UnsafePointer<Int32>, cosine: UnsafePointer<Float>, sine: UnsafePointer<Float>
) {
    rotate(
        x, rows: rows, rowStride: rowStride, heads: heads, headDimension: headDimension, positions: positions,
        cosine: cosine, sine: sine, direction: 1)
}

/// Rotates back: the transpose of `rotaryApply`.
@inline(never)
public func rotaryApplyInverse(
    _ x: UnsafeMutablePointer<Float>, rows: Int, rowStride: Int, heads: Int, headDimension: Int,
    positions: UnsafePointer<Int32>, cosine: UnsafePointer<Float>, sine: UnsafePointer<Float>
) {
    rotate(
        x, rows: rows, rowStride: rowStride, heads: heads, headDimension: headDimension, positions: positions,
        cosine: cosine, sine: sine, direction: -1)
}

@inline(__always)
private func rotate(
    _ x: UnsafeMutablePointer<Float>, rows: Int, rowStride: Int, heads: Int, headDimension: Int,
    positions: UnsafePointer<Int32>, cosine: UnsafePointer<Float>, sine: UnsafePointer<Float>, direction: Float
) {
    let half = headDimension / 2
    for row in 0..<rows {
        let position = Int(positions[row])
        let cosines = cosine + position * half
        let sines = sine + position * half
        for head in 0..<heads {
            let first = x + row * rowStride + head * headDimension
            let second = first + half
            var pair = 0
            while pair < half {
                let left = half - pair
                let cos = loadSome(cosines + pair, left)
                let sin = loadSome(sines + pair, left) * broadcast(direction)
                let a = loadSome(first + pair, left)
                let b = loadSome(second + pair, left)
                storeSome(multiplyAdd(a, cos, -(b * sin)), first + pair, left)
                storeSome(multiplyAdd(b, cos, a * sin), second + pair, left)
                pair += lanes
            }
        }
    }
}
