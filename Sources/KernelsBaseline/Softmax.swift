import CSIMD

/// log Σ exp(scale x); see `Kernels.Softmax.logSumExp`.
@inline(never)
public func softmaxLogSumExp(_ x: UnsafePointer<Float>, count: Int, scale: Float) -> Float {
    let largest = scaledMaximum(x, count: count, scale: scale)
    if largest == -.infinity { return sumWithoutNumbers(x, count: count, scale: scale) }
    var low = SIMD8<Double>(repeating: 0)
    var high = SIMD8<Double>(repeating: 0)
    var index = 0
    while index < count {
        // Sums of 64 in single precision, their sums in double, so that the error does not grow with the vocabulary.
        var sum = broadcast(0)
        let end = min(count, index + 64 * lanes)
        while index < end {
            let left = count - index
            let powers = exponential(loadSome(x + index, left) * broadcast(scale) - broadcast(largest))
            sum += left >= lanes ? powers : firstLanes(powers, left)
            index += lanes
        }
        low += widened(sum.lowHalf)
        high += widened(sum.highHalf)
    }
    let sum = laneSum(low + high)
    // The sum is at least 1, unless something is not a number.
    if !(sum < .infinity) { return Float(sum) }
    return Float(Double(largest) + naturalLogarithm(sum))
}

/// log Σ exp(scale x) where each scale x is -infinity or not a number, which their maximum does not tell apart.
@inline(never)
private func sumWithoutNumbers(_ x: UnsafePointer<Float>, count: Int, scale: Float) -> Float {
    for index in 0..<count where !(x[index] * scale == -.infinity) { return .nan }
    return -.infinity
}

/// exp(scale x - logSumExp); see `Kernels.Softmax.probabilities`.
@inline(never)
public func softmaxProbabilities(
    _ x: UnsafePointer<Float>, count: Int, scale: Float, logSumExp: Float, into result: UnsafeMutablePointer<Float>
) {
    var index = 0
    while index < count {
        let left = count - index
        storeSome(probabilities(loadSome(x + index, left), scale, logSumExp), result + index, left)
        index += lanes
    }
}

/// The token at which the running sum of probabilities passes `uniform`; see `Kernels.Softmax.draw`.
@inline(never)
public func softmaxDraw(
    _ x: UnsafePointer<Float>, count: Int, scale: Float, logSumExp: Float, uniform: Float
) -> Int {
    var passed = 0.0
    var index = 0
    while index < count {
        // The sum of 64, and only where it passes the number, the sum one by one.
        let end = min(count, index + 4 * lanes)
        var sums = broadcast(0)
        var start = index
        while start < end {
            let left = count - start
            let probability = probabilities(loadSome(x + start, left), scale, logSumExp)
            sums += left >= lanes ? probability : firstLanes(probability, left)
            start += lanes
        }
        let next = passed + Double(laneSum(sums))
        if next > Double(uniform) {
            let drawn = drawOneByOne(x, index, end, scale, logSumExp, Double(uniform) - passed)
            if drawn >= 0 { return drawn }
        }
        passed = next
        index = end
    }
    // Rounding left the number above the whole sum: the last token that can be drawn.
    index = count - 1
    while index > 0 && probabilities(broadcast(x[index]), scale, logSumExp)[0] <= 0 { index -= 1 }
    return max(0, index)
}

/// The token among `index ..< end` at which the running sum passes `remaining`; where rounding leaves it above their sum,
/// the last of them that can be drawn; -1 where none can.
@inline(__always)
private func drawOneByOne(
    _ x: UnsafePointer<Float>, _ index: Int, _ end: Int, _ scale: Float, _ logSumExp: Float, _ remaining: Double
) -> Int {
    var remaining = remaining
    var last = -1
    for token in index..<end {
        let probability = probabilities(broadcast(x[token]), scale, logSumExp)[0]
        if probability > 0 {
            last = token
            remaining -= Double(probability)
            if remaining < 0 { return token }
        }
    }
    return last
}

/// Σ p (logSumExp - scale x); see `Kernels.Softmax.entropy`.
@inline(never)
public func softmaxEntropy(_ x: UnsafePointer<Float>, count: Int, scale: Float, logSumExp: Float) -> Float {
    var low = SIMD8<Double>(repeating: 0)
    var high = SIMD8<Double>(repeating: 0)
    var index = 0
    while index < count {
        let left = count - index
        let logits = loadSome(x + index, left)
        let probability = probabilities(logits, scale, logSumExp)
        let surprise = broadcast(logSumExp) - logits * broadcast(scale)
        // What has no probability (a masked logit of -infinity) adds nothing.
        let terms = select(
            where: probability, isAtMost: broadcast(0), broadcast(0), otherwise: probability * surprise)
        let kept = left >= lanes ? terms : firstLanes(terms, left)
        low += widened(kept.lowHalf)
        high += widened(kept.highHalf)
        index += lanes
    }
    return Float(laneSum(low + high))
}

/// coefficient scale (onehot - p); see `Kernels.Softmax.gradient`.
@inline(never)
public func softmaxGradient(
    _ x: UnsafePointer<Float>, count: Int, scale: Float, logSumExp: Float, target: Int, coefficient: Float,
    into result: UnsafeMutablePointer<Float>
) {
    let factor = coefficient * scale
    // Read before the loop, which may write in its place.
    let logit = x[target]
    var index = 0
    while index < count {
        let left = count - index
        let probability = probabilities(loadSome(x + index, left), scale, logSumExp)
        storeSome(probability * broadcast(-factor), result + index, left)
        index += lanes
    }
    result[target] = factor * (1 - probabilities(broadcast(logit), scale, logSumExp)[0])
}

@inline(__always)
private func probabilities(_ logits: Vector, _ scale: Float, _ logSumExp: Float) -> Vector {
    exponential(logits * broadcast(scale) - broadcast(logSumExp))
}
