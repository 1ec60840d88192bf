import CSIMD

/// e^x of every lane: within 1 ulp of the exact value (2 without FMA) for -87.33 <= x <= 88.72.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2, e^r = 1 + r + r² q(r) with q of degree 4, fitted for the least relative error
/// (3e-9) by the Remez exchange; 2^n enters through the exponent bits. Below the range 0, above it infinity;
/// not-a-number stays so.
@inline(__always)
func exponential(_ x: Vector) -> Vector {
    // 1.5 * 2^23: adding it rounds to the nearest integer, which then stands in the low bits.
    let rounding = broadcast(12_582_912)
    let shifted = multiplyAdd(x, broadcast(1.442_695_04), rounding)
    let n = shifted - rounding
    // ln 2 in two parts; the first has few enough bits for n times it to be exact.
    let r = multiplyAdd(n, broadcast(2.121_944_4e-4), multiplyAdd(n, broadcast(-0.693_359_375), x))
    var q = broadcast(0x1.6a2434p-10)
    q = multiplyAdd(q, r, broadcast(0x1.1239e2p-7))
    q = multiplyAdd(q, r, broadcast(0x1.5558f2p-5))
    q = multiplyAdd(q, r, broadcast(0x1.555492p-3))
    q = multiplyAdd(q, r, broadcast(0x1.fffffcp-2))
    let power = multiplyAdd(q, r * r, r) + broadcast(1)
    let exponent = unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< 23
    let scaled = unsafeBitCast(unsafeBitCast(power, to: SIMD16<UInt32>.self) &+ exponent, to: Vector.self)
    let positive = select(where: broadcast(-87.336_54), isAtMost: x, scaled, otherwise: broadcast(0))
    let saturated = select(where: x, isAtMost: broadcast(88.722_83), positive, otherwise: x + broadcast(.infinity))
    return saturated
}

/// 1 / (1 + e^-x) of every lane.
@inline(__always)
func logistic(_ x: Vector) -> Vector {
    broadcast(1) / (broadcast(1) + exponential(-x))
}

/// The natural logarithm of a positive normal number, to 2e-15 relative, with the same bits on every machine; what is
/// infinite or not a number is returned as it is.
///
/// x = m 2^e with m in [√½, √2); ln m = 2 artanh((m - 1) / (m + 1)), whose series is cut after the 19th power.
@inline(__always)
func naturalLogarithm(_ x: Double) -> Double {
    if !(x < .infinity) { return x }
    let bits = x.bitPattern
    var exponent = Int(bits >> 52) - 1023
    var mantissa = Double(bitPattern: (bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000)
    if mantissa > 1.414_213_562_373_095_1 {
        mantissa *= 0.5
        exponent += 1
    }
    let s = (mantissa - 1) / (mantissa + 1)
    let square = s * s
    var series = 1.0 / 19
    series = series * square + 1.0 / 17
    series = series * square + 1.0 / 15
    series = series * square + 1.0 / 13
    series = series * square + 1.0 / 11
    series = series * square + 1.0 / 9
    series = series * square + 1.0 / 7
    series = series * square + 1.0 / 5
    series = series * square + 1.0 / 3
    series = series * square + 1
    return 2 * s * series + Double(exponent) * 0.693_147_180_559_945_3
}
