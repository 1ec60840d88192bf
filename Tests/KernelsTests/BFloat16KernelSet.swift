import Kernels
import KernelsBaseline
import Testing

#if arch(x86_64)
    import KernelsAVX2
    import KernelsAVX512
    import KernelsAVX512BF16
#endif

/// The bfloat16 kernels of one variant module, called directly.
struct BFloat16KernelSet: Sendable, CustomTestStringConvertible {
    let instructionSet: InstructionSet
    /// Lanes of a rounded row of so many values.
    let roundedCount: @Sendable (Int) -> Int
    let round: @Sendable (UnsafePointer<Float>, Int, Int, Int, UnsafeMutablePointer<UInt32>, Int) -> Void
    let packWeight:
        @Sendable (UnsafePointer<Float>, Int, Int, UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>) -> Void
    let packTransposedWeight: @Sendable (UnsafePointer<Float>, Int, Int, UnsafeMutablePointer<UInt32>) -> Void
    let multiply:
        @Sendable (
            UnsafePointer<UInt32>, Int, Int, UnsafePointer<UInt32>, Int, Int, UnsafeMutablePointer<Float>, Int, Bool,
            KernelComing
        ) -> Void
    let multiplyRounding:
        @Sendable (
            UnsafePointer<Float>, Int, Int, Int, UnsafeMutablePointer<UInt32>, Int, UnsafePointer<UInt32>, Int,
            UnsafeMutablePointer<Float>, Int, Bool, KernelComing
        ) -> Void
    /// Of rows and inputs.
    let weightGradientWorkspace: @Sendable (Int, Int) -> Int
    let weightGradient:
        @Sendable (
            UnsafePointer<Float>, Int, UnsafePointer<Float>, Int, Int, Int, Int, UnsafeMutablePointer<Float>,
            UnsafeMutablePointer<Float>
        ) -> Void

    /// bfloat16 as it is defined: the upper half of a float, rounded to nearest even; denormals become zero.
    static func bfloat16(_ value: Float) -> UInt32 {
        let bits = value.bitPattern
        if value.isNaN { return bits >> 16 | 0x40 }
        if value.isSubnormal { return bits >> 16 & 0x8000 }
        let lower = bits & 0xffff
        let upper = bits >> 16
        return lower > 0x8000 || (lower == 0x8000 && upper & 1 == 1) ? upper + 1 : upper
    }

    static func rounded(_ value: Float) -> Float {
        Float(bitPattern: bfloat16(value) << 16)
    }

    /// The bfloat16 values of a row that `round` gave, in their order.
    func values(_ rounded: ArraySlice<UInt32>, width: Int) -> [UInt32] {
        let isPaired = roundedCount(2) == 1
        return (0..<width).map { index in
            let lane = isPaired ? index / 2 : index ^ 1
            let bits = rounded[rounded.startIndex + lane]
            return isPaired && index % 2 == 0 ? bits & 0xffff : bits >> 16
        }
    }

    /// start + Σ a b in pairs: of each the second product first, every step rounded once.
    static func chain(_ start: Float, count: Int, a: (Int) -> Float, b: (Int) -> Float) -> Float {
        var sum = start
        for pair in stride(from: 0, to: count, by: 2) {
            if pair + 1 < count { sum = sum.addingProduct(rounded(a(pair + 1)), rounded(b(pair + 1))) }
            sum = sum.addingProduct(rounded(a(pair)), rounded(b(pair)))
        }
        return sum
    }

    var testDescription: String { instructionSet.rawValue }

    /// Every variant that this machine runs, weakest first.
    static let supported: [BFloat16KernelSet] = {
        var sets = [baseline]
        #if arch(x86_64)
            if InstructionSet.supported.contains(.avx2) { sets.append(avx2) }
            if InstructionSet.supported.contains(.avx512) { sets.append(avx512) }
            if InstructionSet.supported.contains(.avx512bf16) { sets.append(avx512bf16) }
        #endif
        return sets
    }()

    static let baseline = BFloat16KernelSet(
        instructionSet: .baseline,
        roundedCount: KernelsBaseline.roundedCount,
        round: KernelsBaseline.roundRows,
        packWeight: KernelsBaseline.packWeightPairs,
        packTransposedWeight: KernelsBaseline.packTransposedWeightPairs,
        multiply: KernelsBaseline.multiplyPairs,
        multiplyRounding: KernelsBaseline.multiplyRounding,
        weightGradientWorkspace: { KernelsBaseline.weightGradientWorkspace(rows: $0, inputs: $1, pairs: true) },
        weightGradient: KernelsBaseline.weightGradientPairs
    )

    #if arch(x86_64)
        static let avx2 = BFloat16KernelSet(
            instructionSet: .avx2,
            roundedCount: KernelsAVX2.roundedCount,
            round: KernelsAVX2.roundRows,
            packWeight: KernelsAVX2.packWeightPairs,
            packTransposedWeight: KernelsAVX2.packTransposedWeightPairs,
            multiply: KernelsAVX2.multiplyPairs,
            multiplyRounding: KernelsAVX2.multiplyRounding,
            weightGradientWorkspace: { KernelsAVX2.weightGradientWorkspace(rows: $0, inputs: $1, pairs: true) },
            weightGradient: KernelsAVX2.weightGradientPairs
        )

        static let avx512 = BFloat16KernelSet(
            instructionSet: .avx512,
            roundedCount: KernelsAVX512.roundedCount,
            round: KernelsAVX512.roundRows,
            packWeight: KernelsAVX512.packWeightPairs,
            packTransposedWeight: KernelsAVX512.packTransposedWeightPairs,
            multiply: KernelsAVX512.multiplyPairs,
            multiplyRounding: KernelsAVX512.multiplyRounding,
            weightGradientWorkspace: { KernelsAVX512.weightGradientWorkspace(rows: $0, inputs: $1, pairs: true) },
            weightGradient: KernelsAVX512.weightGradientPairs
        )

        static let avx512bf16 = BFloat16KernelSet(
            instructionSet: .avx512bf16,
            roundedCount: KernelsAVX512BF16.roundedCount,
            round: KernelsAVX512BF16.roundRows,
            packWeight: KernelsAVX512BF16.packWeightPairs,
            packTransposedWeight: KernelsAVX512BF16.packTransposedWeightPairs,
            multiply: KernelsAVX512BF16.multiplyPairs,
            multiplyRounding: KernelsAVX512BF16.multiplyRounding,
            weightGradientWorkspace: { KernelsAVX512BF16.weightGradientWorkspace(rows: $0, inputs: $1, pairs: true) },
            weightGradient: KernelsAVX512BF16.weightGradientPairs
        )
    #endif
}
