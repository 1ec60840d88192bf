import CSIMD

/// output = gate σ(gate) up, where a row of `gateUp` holds the gates and then the ups; see `Kernels.SwiGLU.forward`.
@inline(never)
public func gatedForward(
    gateUp: UnsafePointer<Float>, rows: Int, width: Int, output: UnsafeMutablePointer<Float>
) {
    for row in 0..<rows {
        let gate = gateUp + row * 2 * width
        let up = gate + width
        let result = output + row * width
        var column = 0
        // Two chains at once: one alone waits for itself.
        while column + 2 * lanes <= width {
            let (first, second) = (load(gate + column), load(gate + column + lanes))
            store(first * logistic(first) * load(up + column), result + column)
            store(second * logistic(second) * load(up + column + lanes), result + column + lanes)
            column += 2 * lanes
        }
        while column < width {
            let left = width - column
            let g = loadSome(gate + column, left)
            storeSome(g * logistic(g) * loadSome(up + column, left), result + column, left)
            column += lanes
        }
    }
}

/// d gate = dy up σ (1 + gate (1 - σ)), d up = dy gate σ; see `Kernels.SwiGLU.backward`.
@inline(never)
public func gatedBackward(
    gateUp: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, rows: Int, width: Int,
    gateUpGradient: UnsafeMutablePointer<Float>
) {
    for row in 0..<rows {
        let gate = gateUp + row * 2 * width
        let up = gate + width
        let dy = outputGradient + row * width
        let gateGradient = gateUpGradient + row * 2 * width
        let upGradient = gateGradient + width
        var column = 0
        while column < width {
            let left = width - column
            let g = loadSome(gate + column, left)
            let upstream = loadSome(dy + column, left)
            let sigma = logistic(g)
            let slope = multiplyAdd(g * sigma, broadcast(1) - sigma, sigma)
            storeSome(upstream * loadSome(up + column, left) * slope, gateGradient + column, left)
            storeSome(upstream * (g * sigma), upGradient + column, left)
            column += lanes
        }
    }
}
