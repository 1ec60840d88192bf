internal import KernelsBaseline

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
    internal import KernelsAVX512BF16
#endif

/// What one core of this machine can do at most, measured: what kernels are compared with.
public enum Peaks {
    /// Single-precision operations a second of one core (an FMA counts as two): the best of `trials` runs of a loop of
    /// multiply-adds on registers alone (`repetitions` times all accumulators that the registers hold); short runs,
    /// since the clock frequency and other loads vary.
    public static func measureFMA(trials: Int = 50, repetitions: Int = 100_000) -> Double {
        measure(trials: trials, operations: repetitions * vectorsPerRepetition * 16 * 2) { loop(repetitions) }
    }

    /// bfloat16 operations a second of one core (a pair's two multiply-adds count as four), measured like `measureFMA`.
    public static func measurePairProducts(trials: Int = 50, repetitions: Int = 100_000) -> Double {
        measure(trials: trials, operations: repetitions * vectorsPerRepetition * 16 * 4) { pairLoop(repetitions) }
    }

    /// Bytes a second that one core reads from `buffer` [count], which should be far larger than the caches: the best
    /// of `trials` passes.
    public static func measureRead(_ buffer: UnsafePointer<Float>, count: Int, trials: Int = 5) -> Double {
        measure(trials: trials, operations: count * MemoryLayout<Float>.stride) { read(buffer, count) }
    }

    /// The best rate of `trials` runs.
    private static func measure(trials: Int, operations: Int, _ run: () -> Float) -> Double {
        let clock = ContinuousClock()
        var best = 0.0
        var sink: Float = 0
        for _ in 0..<trials {
            let time = clock.measure { sink += run() }
            best = max(best, Double(operations) / time.seconds)
        }
        // The value is finite whatever happens; the comparison keeps the run alive.
        return sink.isNaN ? 0 : best
    }

    private static func loop(_ repetitions: Int) -> Float {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.fusedMultiplyAddLoop(repetitions: repetitions, factor: 0.5)
            case .avx512:
                KernelsAVX512.fusedMultiplyAddLoop(repetitions: repetitions, factor: 0.5)
            case .avx2:
                KernelsAVX2.fusedMultiplyAddLoop(repetitions: repetitions, factor: 0.5)
        #endif
        default:
            KernelsBaseline.fusedMultiplyAddLoop(repetitions: repetitions, factor: 0.5)
        }
    }

    private static func pairLoop(_ repetitions: Int) -> Float {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.pairProductLoop(repetitions: repetitions, factor: 0.5)
            case .avx512:
                KernelsAVX512.pairProductLoop(repetitions: repetitions, factor: 0.5)
            case .avx2:
                KernelsAVX2.pairProductLoop(repetitions: repetitions, factor: 0.5)
        #endif
        default:
            KernelsBaseline.pairProductLoop(repetitions: repetitions, factor: 0.5)
        }
    }

    private static var vectorsPerRepetition: Int {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.fusedMultiplyAddLoopVectors()
            case .avx512:
                KernelsAVX512.fusedMultiplyAddLoopVectors()
            case .avx2:
                KernelsAVX2.fusedMultiplyAddLoopVectors()
        #endif
        default:
            KernelsBaseline.fusedMultiplyAddLoopVectors()
        }
    }

    private static func read(_ buffer: UnsafePointer<Float>, _ count: Int) -> Float {
        switch InstructionSet.current {
        #if arch(x86_64)
            case .avx512bf16:
                KernelsAVX512BF16.readLoop(buffer, count: count)
            case .avx512:
                KernelsAVX512.readLoop(buffer, count: count)
            case .avx2:
                KernelsAVX2.readLoop(buffer, count: count)
        #endif
        default:
            KernelsBaseline.readLoop(buffer, count: count)
        }
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
