import CSIMD

/// y = x / √(mean(x²) + ε) · w for every row; see `Kernels.Normalization.forward`.
@inline(never)
public func normalizationForward(
    input: UnsafePointer<Float>, weight: UnsafePointer<Float>, rows: Int, width: Int, epsilon: Float,
    output: UnsafeMutablePointer<Float>, reciprocal: UnsafeMutablePointer<Float>
) {
    for row in 0..<rows {
        let x = input + row * width
        let y = output + row * width
        let squares = dotProduct(x, x, width)
        // The vector's square root: the scalar one may call libm.
        let scale = 1 / squareRoot(broadcast(squares / Float(width) + epsilon))[0]
        reciprocal[row] = scale
        var column = 0
        while column < width {
            let left = width - column
            let normalized = loadSome(x + column, left) * broadcast(scale)
            storeSome(normalized * loadSome(weight + column, left), y + column, left)
            column += lanes
        }
    }
}

/// dx += r (w dy - x r² mean(w dy x)); dw += dy x r, rows ascending; see `Kernels.Normalization.backward`.
@inline(never)
public func normalizationBackward(
    outputGradient: UnsafePointer<Float>, input: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    reciprocal: UnsafePointer<Float>, rows: Int, width: Int, inputGradient: UnsafeMutablePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>
) {
    for row in 0..<rows {
        let x = input + row * width
        let dy = outputGradient + row * width
        let dx = inputGradient + row * width
        let r = reciprocal[row]
        var sum = broadcast(0)
        var column = 0
        while column < width {
            let left = width - column
            let weighted = loadSome(weight + column, left) * loadSome(dy + column, left)
            sum = multiplyAdd(weighted, loadSome(x + column, left), sum)
            column += lanes
        }
        let mean = laneSum(sum) * (r * r / Float(width))
        column = 0
        while column < width {
            let left = width - column
            let value = loadSome(x + column, left)
            let upstream = loadSome(dy + column, left)
            let weighted = loadSome(weight + column, left) * upstream
            let change = weighted - value * broadcast(mean)
            storeSome(multiplyAdd(broadcast(r), change, loadSome(dx + column, left)), dx + column, left)
            let normalized = value * broadcast(r)
            storeSome(
                multiplyAdd(upstream, normalized, loadSome(weightGradient + column, left)), weightGradient + column,
                left)
            column += lanes
        }
    }
}

/// Σ a b in four chains of sixteen lanes, by position modulo 64.
@inline(__always)
func dotProduct(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
    var sum0 = broadcast(0)
    var sum1 = broadcast(0)
    var sum2 = broadcast(0)
    var sum3 = broadcast(0)
    var index = 0
    while index + 4 * lanes <= count {
        sum0 = multiplyAdd(load(a + index), load(b + index), sum0)
        sum1 = multiplyAdd(load(a + index + lanes), load(b + index + lanes), sum1)
        sum2 = multiplyAdd(load(a + index + 2 * lanes), load(b + index + 2 * lanes), sum2)
        sum3 = multiplyAdd(load(a + index + 3 * lanes), load(b + index + 3 * lanes), sum3)
        index += 4 * lanes
    }
    while index < count {
        sum0 = multiplyAdd(loadSome(a + index, count - index), loadSome(b + index, count - index), sum0)
        index += lanes
    }
    return laneSum((sum0 + sum1) + (sum2 + sum3))
}
