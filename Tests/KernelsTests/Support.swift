import Kernels
import TestSupport

extension SeededGenerator {
    mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in Float.random(in: range, using: &self) }
    }
}

/// The largest |value - reference| / (absolute size + floor), where `scale` gives each reference's natural size.
func worstError(_ values: [Float], _ references: [Double], scale: [Double]) -> Double {
    precondition(values.count == references.count && values.count == scale.count)
    var worst = 0.0
    for index in values.indices {
        let error = abs(Double(values[index]) - references[index]) / max(scale[index], 1e-30)
        if !(error <= worst) { worst = error }
    }
    return worst
}

/// The bit patterns, for comparisons that tell -0 from 0 and hold for what is not a number.
func bits(_ values: [Float]) -> [UInt32] {
    values.map(\.bitPattern)
}

/// Half a unit in the last place of 1.
let roundoff = 0x1p-24

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension Double {
    /// e to the power `x`, from the C library.
    static func power(of x: Double) -> Double { exp(x) }

    /// The natural logarithm, from the C library.
    static func logarithm(_ x: Double) -> Double { log(x) }

    static func cosine(_ x: Double) -> Double { cos(x) }

    static func sine(_ x: Double) -> Double { sin(x) }
}

/// The gradient of `function` at `x` by central differences of the fourth order, good to about 1e-10 of the function's
/// size.
func finiteDifferences(_ x: [Double], _ function: ([Double]) -> Double) -> [Double] {
    let step = 1e-3
    return x.indices.map { index in
        func value(_ offset: Double) -> Double {
            var moved = x
            moved[index] += offset * step
            return function(moved)
        }
        return (8 * (value(1) - value(-1)) - (value(2) - value(-2))) / (12 * step)
    }
}
