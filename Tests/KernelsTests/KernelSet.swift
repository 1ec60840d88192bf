import Kernels
import KernelsBaseline
import Testing

#if arch(x86_64)
    import KernelsAVX2
    import KernelsAVX512
    import KernelsAVX512BF16
#endif

/// As the kernels of every variant take it.
typealias KernelComing = KernelsBaseline.ComingReads

/// Nothing is read after a product.
var nothingComing: KernelComing { (nil, nil, 0, 0, 0) }

/// The kernels of one variant module, called directly so that one test process covers all that the machine runs.
struct KernelSet: Sendable, CustomTestStringConvertible {
    let instructionSet: InstructionSet
    let packWeight: @Sendable (UnsafePointer<Float>, Int, Int, UnsafeMutablePointer<Float>) -> Void
    let packTransposedWeight: @Sendable (UnsafePointer<Float>, Int, Int, UnsafeMutablePointer<Float>) -> Void
    let multiply:
        @Sendable (
            UnsafePointer<Float>, Int, Int, UnsafePointer<Float>, Int, Int, UnsafeMutablePointer<Float>, Int, Bool,
            KernelComing
        ) -> Void
    /// Of rows and inputs.
    let weightGradientWorkspace: @Sendable (Int, Int) -> Int
    let weightGradient:
        @Sendable (
            UnsafePointer<Float>, Int, UnsafePointer<Float>, Int, Int, Int, Int, UnsafeMutablePointer<Float>,
            UnsafeMutablePointer<Float>
        ) -> Void
    let normalizationForward:
        @Sendable (
            UnsafePointer<Float>, UnsafePointer<Float>, Int, Int, Float, UnsafeMutablePointer<Float>,
            UnsafeMutablePointer<Float>
        ) -> Void
    let normalizationBackward:
        @Sendable (
            UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Int, Int,
            UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>
        ) -> Void
    let rotaryApply:
        @Sendable (
            UnsafeMutablePointer<Float>, Int, Int, Int, Int, UnsafePointer<Int32>, UnsafePointer<Float>,
            UnsafePointer<Float>
        ) -> Void
    let rotaryApplyInverse:
        @Sendable (
            UnsafeMutablePointer<Float>, Int, Int, Int, Int, UnsafePointer<Int32>, UnsafePointer<Float>,
            UnsafePointer<Float>
        ) -> Void
    let gatedForward: @Sendable (UnsafePointer<Float>, Int, Int, UnsafeMutablePointer<Float>) -> Void
    let gatedBackward:
        @Sendable (
            UnsafePointer<Float>, UnsafePointer<Float>, Int, Int, UnsafeMutablePointer<Float>
        ) -> Void
    let elementwiseAdd: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
    let elementwiseScale: @Sendable (UnsafeMutablePointer<Float>, Float, Int) -> Void
    let elementwiseFill: @Sendable (UnsafeMutablePointer<Float>, Float, Int) -> Void
    let elementwiseSumOfSquares: @Sendable (UnsafePointer<Float>, Int) -> Double
    let elementwiseIsFinite: @Sendable (UnsafePointer<Float>, Int) -> Bool
    let softmaxLogSumExp: @Sendable (UnsafePointer<Float>, Int, Float) -> Float
    let softmaxProbabilities: @Sendable (UnsafePointer<Float>, Int, Float, Float, UnsafeMutablePointer<Float>) -> Void
    let softmaxDraw: @Sendable (UnsafePointer<Float>, Int, Float, Float, Float) -> Int
    let softmaxEntropy: @Sendable (UnsafePointer<Float>, Int, Float, Float) -> Float
    let softmaxGradient:
        @Sendable (
            UnsafePointer<Float>, Int, Float, Float, Int, Float, UnsafeMutablePointer<Float>
        ) -> Void
    let attentionStore:
        @Sendable (
            UnsafePointer<Float>, UnsafePointer<Float>, Int, Int, Bool, UnsafeMutablePointer<Float>
        ) -> Void
    let attentionWorkspaceCount: @Sendable (Int, Int) -> Int
    let attentionForward:
        @Sendable (
            UnsafePointer<Float>, Int, Int, Int, Int, Int, Float, UnsafePointer<UnsafeMutablePointer<Float>>, Int,
            Bool, UnsafeMutablePointer<Float>, Int, UnsafeMutablePointer<Float>?, Int,
            UnsafePointer<UnsafeMutablePointer<Float>>?, Int, Int, UnsafeMutablePointer<Float>
        ) -> Void
    let attentionSharingWorkspaceCount: @Sendable (Int, Int, Int) -> Int
    let attentionForwardSharing:
        @Sendable (
            UnsafePointer<Float>, Int, Int, Int, UnsafePointer<Int>,
            UnsafePointer<UnsafePointer<UnsafeMutablePointer<Float>>>, Int, Int, Float, Int, Bool,
            UnsafeMutablePointer<Float>, Int, UnsafeMutablePointer<Float>
        ) -> Void
    let attentionBackwardWorkspaceCount: @Sendable (Int, Int) -> Int
    let attentionBackward:
        @Sendable (
            UnsafePointer<Float>, Int, Int, Int, UnsafePointer<Float>, UnsafePointer<Float>, Int, Int, Float, Bool,
            UnsafePointer<Float>, Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int,
            UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int, UnsafeMutablePointer<Float>
        ) -> Void
    let adamWUpdate:
        @Sendable (
            UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>,
            Int, Float, Float, Float, Float, Float, Float, Float, Float
        ) -> Void

    var testDescription: String { instructionSet.rawValue }

    /// Every variant that this machine runs, weakest first.
    static let supported: [KernelSet] = {
        var sets = [baseline]
        #if arch(x86_64)
            if InstructionSet.supported.contains(.avx2) { sets.append(avx2) }
            if InstructionSet.supported.contains(.avx512) { sets.append(avx512) }
            if InstructionSet.supported.contains(.avx512bf16) { sets.append(avx512bf16) }
        #endif
        return sets
    }()

    /// The variants that compute with FMA, which must agree bit for bit.
    static var fused: [KernelSet] { supported.filter { $0.instructionSet > .baseline } }

    static let baseline = KernelSet(
        instructionSet: .baseline,
        packWeight: KernelsBaseline.packWeight,
        packTransposedWeight: KernelsBaseline.packTransposedWeight,
        multiply: KernelsBaseline.multiply,
        weightGradientWorkspace: { KernelsBaseline.weightGradientWorkspace(rows: $0, inputs: $1, pairs: false) },
        weightGradient: KernelsBaseline.weightGradient,
        normalizationForward: KernelsBaseline.normalizationForward,
        normalizationBackward: KernelsBaseline.normalizationBackward,
        rotaryApply: KernelsBaseline.rotaryApply,
        rotaryApplyInverse: KernelsBaseline.rotaryApplyInverse,
        gatedForward: KernelsBaseline.gatedForward,
        gatedBackward: KernelsBaseline.gatedBackward,
        elementwiseAdd: KernelsBaseline.elementwiseAdd,
        elementwiseScale: KernelsBaseline.elementwiseScale,
        elementwiseFill: KernelsBaseline.elementwiseFill,
        elementwiseSumOfSquares: KernelsBaseline.elementwiseSumOfSquares,
        elementwiseIsFinite: KernelsBaseline.elementwiseIsFinite,
        softmaxLogSumExp: KernelsBaseline.softmaxLogSumExp,
        softmaxProbabilities: KernelsBaseline.softmaxProbabilities,
        softmaxDraw: KernelsBaseline.softmaxDraw,
        softmaxEntropy: KernelsBaseline.softmaxEntropy,
        softmaxGradient: KernelsBaseline.softmaxGradient,
        attentionStore: KernelsBaseline.attentionStore,
        attentionWorkspaceCount: KernelsBaseline.attentionWorkspaceCount,
        attentionForward: KernelsBaseline.attentionForward,
        attentionSharingWorkspaceCount: KernelsBaseline.attentionSharingWorkspaceCount,
        attentionForwardSharing: KernelsBaseline.attentionForwardSharing,
        attentionBackwardWorkspaceCount: KernelsBaseline.attentionBackwardWorkspaceCount,
        attentionBackward: KernelsBaseline.attentionBackward,
        adamWUpdate: KernelsBaseline.adamWUpdate
    )

    #if arch(x86_64)
        static let avx2 = KernelSet(
            instructionSet: .avx2,
            packWeight: KernelsAVX2.packWeight,
            packTransposedWeight: KernelsAVX2.packTransposedWeight,
            multiply: KernelsAVX2.multiply,
            weightGradientWorkspace: { KernelsAVX2.weightGradientWorkspace(rows: $0, inputs: $1, pairs: false) },
            weightGradient: KernelsAVX2.weightGradient,
            normalizationForward: KernelsAVX2.normalizationForward,
            normalizationBackward: KernelsAVX2.normalizationBackward,
            rotaryApply: KernelsAVX2.rotaryApply,
            rotaryApplyInverse: KernelsAVX2.rotaryApplyInverse,
            gatedForward: KernelsAVX2.gatedForward,
            gatedBackward: KernelsAVX2.gatedBackward,
            elementwiseAdd: KernelsAVX2.elementwiseAdd,
            elementwiseScale: KernelsAVX2.elementwiseScale,
            elementwiseFill: KernelsAVX2.elementwiseFill,
            elementwiseSumOfSquares: KernelsAVX2.elementwiseSumOfSquares,
            elementwiseIsFinite: KernelsAVX2.elementwiseIsFinite,
            softmaxLogSumExp: KernelsAVX2.softmaxLogSumExp,
            softmaxProbabilities: KernelsAVX2.softmaxProbabilities,
            softmaxDraw: KernelsAVX2.softmaxDraw,
            softmaxEntropy: KernelsAVX2.softmaxEntropy,
            softmaxGradient: KernelsAVX2.softmaxGradient,
            attentionStore: KernelsAVX2.attentionStore,
            attentionWorkspaceCount: KernelsAVX2.attentionWorkspaceCount,
            attentionForward: KernelsAVX2.attentionForward,
            attentionSharingWorkspaceCount: KernelsAVX2.attentionSharingWorkspaceCount,
            attentionForwardSharing: KernelsAVX2.attentionForwardSharing,
            attentionBackwardWorkspaceCount: KernelsAVX2.attentionBackwardWorkspaceCount,
            attentionBackward: KernelsAVX2.attentionBackward,
            adamWUpdate: KernelsAVX2.adamWUpdate
        )

        static let avx512 = KernelSet(
            instructionSet: .avx512,
            packWeight: KernelsAVX512.packWeight,
            packTransposedWeight: KernelsAVX512.packTransposedWeight,
            multiply: KernelsAVX512.multiply,
            weightGradientWorkspace: { KernelsAVX512.weightGradientWorkspace(rows: $0, inputs: $1, pairs: false) },
            weightGradient: KernelsAVX512.weightGradient,
            normalizationForward: KernelsAVX512.normalizationForward,
            normalizationBackward: KernelsAVX512.normalizationBackward,
            rotaryApply: KernelsAVX512.rotaryApply,
            rotaryApplyInverse: KernelsAVX512.rotaryApplyInverse,
            gatedForward: KernelsAVX512.gatedForward,
            gatedBackward: KernelsAVX512.gatedBackward,
            elementwiseAdd: KernelsAVX512.elementwiseAdd,
            elementwiseScale: KernelsAVX512.elementwiseScale,
            elementwiseFill: KernelsAVX512.elementwiseFill,
            elementwiseSumOfSquares: KernelsAVX512.elementwiseSumOfSquares,
            elementwiseIsFinite: KernelsAVX512.elementwiseIsFinite,
            softmaxLogSumExp: KernelsAVX512.softmaxLogSumExp,
            softmaxProbabilities: KernelsAVX512.softmaxProbabilities,
            softmaxDraw: KernelsAVX512.softmaxDraw,
            softmaxEntropy: KernelsAVX512.softmaxEntropy,
            softmaxGradient: KernelsAVX512.softmaxGradient,
            attentionStore: KernelsAVX512.attentionStore,
            attentionWorkspaceCount: KernelsAVX512.attentionWorkspaceCount,
            attentionForward: KernelsAVX512.attentionForward,
            attentionSharingWorkspaceCount: KernelsAVX512.attentionSharingWorkspaceCount,
            attentionForwardSharing: KernelsAVX512.attentionForwardSharing,
            attentionBackwardWorkspaceCount: KernelsAVX512.attentionBackwardWorkspaceCount,
            attentionBackward: KernelsAVX512.attentionBackward,
            adamWUpdate: KernelsAVX512.adamWUpdate
        )

        static let avx512bf16 = KernelSet(
            instructionSet: .avx512bf16,
            packWeight: KernelsAVX512BF16.packWeight,
            packTransposedWeight: KernelsAVX512BF16.packTransposedWeight,
            multiply: KernelsAVX512BF16.multiply,
            weightGradientWorkspace: { KernelsAVX512BF16.weightGradientWorkspace(rows: $0, inputs: $1, pairs: false) },
            weightGradient: KernelsAVX512BF16.weightGradient,
            normalizationForward: KernelsAVX512BF16.normalizationForward,
            normalizationBackward: KernelsAVX512BF16.normalizationBackward,
            rotaryApply: KernelsAVX512BF16.rotaryApply,
            rotaryApplyInverse: KernelsAVX512BF16.rotaryApplyInverse,
            gatedForward: KernelsAVX512BF16.gatedForward,
            gatedBackward: KernelsAVX512BF16.gatedBackward,
            elementwiseAdd: KernelsAVX512BF16.elementwiseAdd,
            elementwiseScale: KernelsAVX512BF16.elementwiseScale,
            elementwiseFill: KernelsAVX512BF16.elementwiseFill,
            elementwiseSumOfSquares: KernelsAVX512BF16.elementwiseSumOfSquares,
            elementwiseIsFinite: KernelsAVX512BF16.elementwiseIsFinite,
            softmaxLogSumExp: KernelsAVX512BF16.softmaxLogSumExp,
            softmaxProbabilities: KernelsAVX512BF16.softmaxProbabilities,
            softmaxDraw: KernelsAVX512BF16.softmaxDraw,
            softmaxEntropy: KernelsAVX512BF16.softmaxEntropy,
            softmaxGradient: KernelsAVX512BF16.softmaxGradient,
            attentionStore: KernelsAVX512BF16.attentionStore,
            attentionWorkspaceCount: KernelsAVX512BF16.attentionWorkspaceCount,
            attentionForward: KernelsAVX512BF16.attentionForward,
            attentionSharingWorkspaceCount: KernelsAVX512BF16.attentionSharingWorkspaceCount,
            attentionForwardSharing: KernelsAVX512BF16.attentionForwardSharing,
            attentionBackwardWorkspaceCount: KernelsAVX512BF16.attentionBackwardWorkspaceCount,
            attentionBackward: KernelsAVX512BF16.attentionBackward,
            adamWUpdate: KernelsAVX512BF16.adamWUpdate
        )
    #endif
}
