import CSIMD

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The kernel variants, weakest first.
public enum InstructionSet: String, Sendable, CaseIterable, Comparable, CustomStringConvertible {
    /// What every machine of the architecture has: SSE2 on x86-64, NEON on arm64.
    case baseline
    /// x86-64-v3: AVX2 with FMA, F16C, BMI1, BMI2, LZCNT and MOVBE.
    case avx2
    /// x86-64-v4: AVX-512 F, BW, CD, DQ and VL.
    case avx512
    /// x86-64-v4 with BF16, which multiplies pairs of bfloat16 values, and VNNI.
    case avx512bf16

    /// The environment variable that overrides the choice.
    public static let environmentName = "RLKD_ISA"

    private static let features = ProcessorFeatures.probe()

    /// The variants this processor and operating system can run, weakest first.
    public static let supported: [InstructionSet] = {
        var sets = [InstructionSet.baseline]
        let avx2 =
            features.avx2 && features.fma && features.f16c && features.movbe && features.bmi1 && features.bmi2
            && features.lzcnt
        if avx2 { sets.append(.avx2) }
        let avx512 =
            avx2 && features.avx512f && features.avx512bw && features.avx512cd && features.avx512dq
            && features.avx512vl
        if avx512 { sets.append(.avx512) }
        if avx512 && features.avx512bf16 && features.avx512vnni { sets.append(.avx512bf16) }
        return sets
    }()

    /// The fastest supported variant.
    public static let best = fastest(of: supported, intel: features.intel)

    /// The fastest of `sets`: the strongest, but on Intel's processors not the one with BF16. Their VDPBF16PS takes four times
    /// as long as a multiply-add of single values and does twice the work, measured on one of the fifth Xeon generation.
    static func fastest(of sets: [InstructionSet], intel: Bool) -> InstructionSet {
        sets.filter { !intel || $0 != .avx512bf16 }.max() ?? .baseline
    }

    /// The variant all kernels of this process use: `select` on the process's environment, taken once; the best one
    /// where that names no variant that can run (a program checks `selected` at start to refuse such a value).
    public static let current: InstructionSet = (try? selected.get()) ?? best

    /// What the process's environment asks for, or why it cannot be had.
    public static let selected: Result<InstructionSet, InstructionSetError> = {
        var environment: [String: String] = [:]
        if let value = getenv(environmentName) {
            environment[environmentName] = String(cString: value)
        }
        return Result { () throws(InstructionSetError) in try select(environment: environment) }
    }()

    /// The variant that `RLKD_ISA` in `environment` names, the best supported one where it is absent or empty.
    ///
    /// - Throws: `InstructionSetError` for a name that is unknown or that this machine cannot run.
    public static func select(environment: [String: String]) throws(InstructionSetError) -> InstructionSet {
        guard let name = environment[environmentName], !name.isEmpty else { return best }
        guard let set = InstructionSet(rawValue: name) else { throw .unknown(name: name) }
        guard supported.contains(set) else { throw .unsupported(set) }
        return set
    }

    public static func < (left: InstructionSet, right: InstructionSet) -> Bool {
        left.rank < right.rank
    }

    public var description: String { rawValue }

    private var rank: Int {
        switch self {
        case .baseline: 0
        case .avx2: 1
        case .avx512: 2
        case .avx512bf16: 3
        }
    }
}

/// Why the variant that `RLKD_ISA` asks for cannot be used.
public enum InstructionSetError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No variant has this name.
    case unknown(name: String)
    /// The processor or the operating system lacks it.
    case unsupported(InstructionSet)

    public var description: String {
        let supported = InstructionSet.supported.map(\.rawValue).joined(separator: ", ")
        let variable = InstructionSet.environmentName
        return switch self {
        case .unknown(let name):
            "\(variable): there is no kernel variant \"\(name)\"; this machine runs \(supported)"
        case .unsupported(let set):
            "\(variable): this machine cannot run the kernel variant \"\(set)\"; it runs \(supported)"
        }
    }
}
