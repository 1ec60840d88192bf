import CSIMD

/// One step of AdamW; see `Kernels.AdamW.update`. The factors come ready made from there.
@inline(never)
public func adamWUpdate(
    parameters: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, firstMoment: UnsafeMutablePointer<Float>,
    secondMoment: UnsafeMutablePointer<Float>, count: Int, decay: Float, firstRate: Float, secondKeep: Float,
    secondRate: Float, stepSize: Float, secondCorrection: Float, epsilon: Float, gradientScale: Float
) {
    var index = 0
    while index < count {
        let left = count - index
        let gradient = loadSome(gradients + index, left) * broadcast(gradientScale)
        let oldFirst = loadSome(firstMoment + index, left)
        let first = multiplyAdd(gradient - oldFirst, broadcast(firstRate), oldFirst)
        let oldSecond = loadSome(secondMoment + index, left)
        let second = multiplyAdd(gradient * gradient, broadcast(secondRate), oldSecond * broadcast(secondKeep))
        let denominator = multiplyAdd(squareRoot(second), broadcast(secondCorrection), broadcast(epsilon))
        let decayed = loadSome(parameters + index, left) * broadcast(decay)
        let parameter = multiplyAdd(first / denominator, broadcast(-stepSize), decayed)
        storeSome(first, firstMoment + index, left)
        storeSome(second, secondMoment + index, left)
        storeSome(parameter, parameters + index, left)
        index += lanes
    }
}
