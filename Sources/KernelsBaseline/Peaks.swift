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
        sum0 = multiplyAdd(sum0, multiplier, addend)
        sum1 = multiplyAdd(sum1, multiplier, addend)
        sum2 = multiplyAdd(sum2, multiplier, addend)
        #if KERNELS_FMA
            sum3 = multiplyAdd(sum3, multiplier, addend)
            sum4 = multiplyAdd(sum4, multiplier, addend)
            sum5 = multiplyAdd(sum5, multiplier, addend)
        #endif
        #if KERNELS_AVX512
            sum6 = multiplyAdd(sum6, multiplier, addend)
            sum7 = multiplyAdd(sum7, multiplier, addend)
            sum8 = multiplyAdd(sum8, multiplier, addend)
            sum9 = multiplyAdd(sum9, multiplier, addend)
            sum10 = multiplyAdd(sum10, multiplier, addend)
            sum11 = multiplyAdd(sum11, multiplier, addend)
            sum12 = multiplyAdd(sum12, multiplier, addend)
            sum13 = multiplyAdd(sum13, multiplier, addend)
            sum14 = multiplyAdd(sum14, multiplier, addend)
            sum15 = multiplyAdd(sum15, multiplier, addend)
            sum16 = multiplyAdd(sum16, multiplier, addend)
            sum17 = multiplyAdd(sum17, multiplier, addend)
            sum18 = multiplyAdd(sum18, multiplier, addend)
            sum19 = multiplyAdd(sum19, multiplier, addend)
            sum20 = multiplyAdd(sum20, multiplier, addend)
            sum21 = multiplyAdd(sum21, multiplier, addend)
            sum22 = multiplyAdd(sum22, multiplier, addend)
            sum23 = multiplyAdd(sum23, multiplier, addend)
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
