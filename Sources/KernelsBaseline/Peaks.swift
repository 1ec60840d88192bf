import CSIMD

/// Independent chains of `fusedMultiplyAddLoop`: as many as the registers hold, and more than two units of latency 4
/// need.
#if KERNELS_AVX512
    private let chains = 24
#elseif KERNELS_FMA
    private let chains = 6
#else
    private let chains = 3
#endif

/// Vectors that one repetition of `fusedMultiplyAddLoop` multiplies and adds.
@inline(never)
public func fusedMultiplyAddLoopVectors() -> Int {
    chains
}

/// `repetitions` times one multiply-add in every chain, on registers alone; the result keeps them alive.
@inline(never)
public func fusedMultiplyAddLoop(repetitions: Int, factor: Float) -> Float {
    chainLoop(repetitions: repetitions, factor: factor, pairs: false)
}

/// `repetitions` times the products of one vector of bfloat16 pairs added to every chain, on registers alone.
@inline(never)
public func pairProductLoop(repetitions: Int, factor: Float) -> Float {
    chainLoop(repetitions: repetitions, factor: factor, pairs: true)
}

@inline(__always)
private func step(_ sum: Vector, _ multiplier: Vector, _ addend: Vector, _ pairs: Bool) -> Vector {
    pairs ? addPairProducts(multiplier, addend, to: sum) : multiplyAdd(sum, multiplier, addend)
}

@inline(__always)
private func chainLoop(repetitions: Int, factor: Float, pairs: Bool) -> Float {
    let multiplier = broadcast(factor)
    let addend = broadcast(1 - factor)
    var sum0 = broadcast(0)
    var sum1 = broadcast(1)
    var sum2 = broadcast(2)
    #if KERNELS_FMA
        var sum3 = broadcast(3)
        var sum4 = broadcast(4)
        var sum5 = broadcast(5)
    #endif
    #if KERNELS_AVX512
        var sum6 = broadcast(6)
        var sum7 = broadcast(7)
        var sum8 = broadcast(8)
        var sum9 = broadcast(9)
        var sum10 = broadcast(10)
        var sum11 = broadcast(11)
        var sum12 = broadcast(12)
        var sum13 = broadcast(13)
        var sum14 = broadcast(14)
        var sum15 = broadcast(15)
        var sum16 = broadcast(16)
        var sum17 = broadcast(17)
        var sum18 = broadcast(18)
        var sum19 = broadcast(19)
        var sum20 = broadcast(20)
        var sum21 = broadcast(21)
        var sum22 = broadcast(22)
        var sum23 = broadcast(23)
    #endif
    for _ in 0..<repetitions {
        sum0 = step(sum0, multiplier, addend, pairs)
        sum1 = step(sum1, multiplier, addend, pairs)
        sum2 = step(sum2, multiplier, addend, pairs)
        #if KERNELS_FMA
            sum3 = step(sum3, multiplier, addend, pairs)
            sum4 = step(sum4, multiplier, addend, pairs)
            sum5 = step(sum5, multiplier, addend, pairs)
        #endif
        #if KERNELS_AVX512
            sum6 = step(sum6, multiplier, addend, pairs)
            sum7 = step(sum7, multiplier, addend, pairs)
            sum8 = step(sum8, multiplier, addend, pairs)
            sum9 = step(sum9, multiplier, addend, pairs)
            sum10 = step(sum10, multiplier, addend, pairs)
            sum11 = step(sum11, multiplier, addend, pairs)
            sum12 = step(sum12, multiplier, addend, pairs)
            sum13 = step(sum13, multiplier, addend, pairs)
            sum14 = step(sum14, multiplier, addend, pairs)
            sum15 = step(sum15, multiplier, addend, pairs)
            sum16 = step(sum16, multiplier, addend, pairs)
            sum17 = step(sum17, multiplier, addend, pairs)
            sum18 = step(sum18, multiplier, addend, pairs)
            sum19 = step(sum19, multiplier, addend, pairs)
            sum20 = step(sum20, multiplier, addend, pairs)
            sum21 = step(sum21, multiplier, addend, pairs)
            sum22 = step(sum22, multiplier, addend, pairs)
            sum23 = step(sum23, multiplier, addend, pairs)
        #endif
    }
    var total = sum0 + sum1 + sum2
    #if KERNELS_FMA
        total += sum3 + sum4 + sum5
    #endif
    #if KERNELS_AVX512
        total += sum6 + sum7 + sum8 + sum9 + sum10 + sum11 + sum12 + sum13 + sum14
        total += sum15 + sum16 + sum17 + sum18 + sum19 + sum20 + sum21 + sum22 + sum23
    #endif
    return laneSum(total)
}

/// Reads `count` floats once, as four streams, and returns their sum.
@inline(never)
public func readLoop(_ x: UnsafePointer<Float>, count: Int) -> Float {
    let quarter = count / (8 * lanes) * 2 * lanes
    var sum0 = broadcast(0)
    var sum1 = broadcast(0)
    var sum2 = broadcast(0)
    var sum3 = broadcast(0)
    var index = 0
    while index < quarter {
        for part in 0..<2 {
            let position = x + index + part * lanes
            sum0 += load(position)
            sum1 += load(position + quarter)
            sum2 += load(position + 2 * quarter)
            sum3 += load(position + 3 * quarter)
        }
        index += 2 * lanes
    }
    var sum = laneSum((sum0 + sum1) + (sum2 + sum3))
    index = 4 * quarter
    while index < count {
        sum += x[index]
        index += 1
    }
    return sum
}
