import CSIMD

/// Queries whose probabilities are held at once.
private let backwardTile = 16

/// The floats of workspace that `attentionBackward` needs.
@inline(never)
public func attentionBackwardWorkspaceCount(headDimension: Int, positions: Int) -> Int {
    let rows = padded(positions)
    // Query, key, output gradient and the two sums as padded rows; keys and values transposed; two tiles of scores.
    return 5 * rows * padded(headDimension) + 2 * rows * headDimension + 2 * backwardTile * rows
}

/// Gradients of causal attention of one head; see `Kernels.Attention.backward`.
@inline(never)
public func attentionBackward(
    query: UnsafePointer<Float>, queryStride: Int, queryCount: Int, firstPosition: Int, key: UnsafePointer<Float>,
    value: UnsafePointer<Float>, keyValueStride: Int, headDimension: Int, scale: Float,
    output: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, outputStride: Int,
    logSumExp: UnsafePointer<Float>, queryGradient: UnsafeMutablePointer<Float>, queryGradientStride: Int,
    keyGradient: UnsafeMutablePointer<Float>, valueGradient: UnsafeMutablePointer<Float>, keyValueGradientStride: Int,
    workspace: UnsafeMutablePointer<Float>
) {
    for index in 0..<queryCount {
        let q = query + index * queryStride
        let dO = outputGradient + index * outputStride
        let dQ = queryGradient + index * queryGradientStride
        let delta = dotProduct(dO, output + index * outputStride, headDimension)
        for d in 0..<headDimension { dQ[d] = 0 }
        for position in 0...(firstPosition + index) {
            let k = key + position * keyValueStride
            let v = value + position * keyValueStride
            let dK = keyGradient + position * keyValueGradientStride
            let dV = valueGradient + position * keyValueGradientStride
            let score = dotProduct(q, k, headDimension) * scale
            let probability = exponential(broadcast(score - logSumExp[index]))[0]
            let slope = probability * (dotProduct(dO, v, headDimension) - delta) * scale
            for d in 0..<headDimension {
                dQ[d] += slope * k[d]
                dK[d] += slope * q[d]
                dV[d] += probability * dO[d]
            }
        }
    }
}
