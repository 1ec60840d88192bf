import CSIMD

/// y += x.
@inline(never)
public func elementwiseAdd(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    var index = 0
    while index < count {
        let left = count - index
        storeSome(loadSome(y + index, left) + loadSome(x + index, left), y + index, left)
        index += lanes
    }
}

/// x *= factor.
@inline(never)
public func elementwiseScale(_ x: UnsafeMutablePointer<Float>, by factor: Float, count: Int) {
    var index = 0
    while index < count {
        let left = count - index
        storeSome(loadSome(x + index, left) * broadcast(factor), x + index, left)
        index += lanes
    }
}

/// x = value everywhere.
@inline(never)
public func elementwiseFill(_ x: UnsafeMutablePointer<Float>, with value: Float, count: Int) {
    var index = 0
    while index < count {
        storeSome(broadcast(value), x + index, count - index)
        index += lanes
    }
}

/// Σ x² in double precision, in two chains of eight lanes.
@inline(never)
public func elementwiseSumOfSquares(_ x: UnsafePointer<Float>, count: Int) -> Double {
    var low = SIMD8<Double>(repeating: 0)
    var high = SIMD8<Double>(repeating: 0)
    var index = 0
    while index < count {
        let values = loadSome(x + index, count - index)
        let first = widened(values.lowHalf)
        let second = widened(values.highHalf)
        // A product of two widened floats is exact, so that FMA would change nothing.
        low += first * first
        high += second * second
        index += lanes
    }
    return laneSum(low + high)
}

/// Whether no element is infinite or not a number.
@inline(never)
public func elementwiseIsFinite(_ x: UnsafePointer<Float>, count: Int) -> Bool {
    // x - x is 0 for a finite x, else not a number, which a sum keeps.
    var sum = broadcast(0)
    var index = 0
    while index < count {
        let values = loadSome(x + index, count - index)
        sum += values - values
        index += lanes
    }
    return laneSum(sum) == 0
}

/// The largest of scale * x; what is not a number is skipped; -infinity where nothing is left.
@inline(__always)
func scaledMaximum(_ x: UnsafePointer<Float>, count: Int, scale: Float) -> Float {
    var largest = broadcast(-.infinity)
    var index = 0
    while index + lanes <= count {
        largest = larger(load(x + index) * broadcast(scale), largest)
        index += lanes
    }
    var result = largestLane(largest)
    while index < count {
        let value = x[index] * scale
        if value > result { result = value }
        index += 1
    }
    return result
}
