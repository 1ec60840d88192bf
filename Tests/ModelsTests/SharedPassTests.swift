import Memory
import Pipelines
import TestSupport
import Testing

@testable import Models

/// Threads that share a learner's pass.
@Suite(.timeLimit(.minutes(2))) struct SharedPassTests {
    /// Wide and long enough for every stage to have parts for several threads.
    private static func parameters(_ name: String, _ precision: Precision) throws -> Parameters {
        var shape = try ModelFixture(name).parameters.configuration
        shape.precision = precision
        shape.intermediateSize = 210
        shape.vocabularySize = 331
        shape.maxPositions = 256
        return try Parameters.randomized(configuration: shape, seed: 3, deviation: 0.2)
    }

    /// Prompts of one, several and no completions, that end within a page and with one; about 400 rows.
    private static let batch: TrainingBatch = {
        func tokens(_ count: Int, _ seed: Int) -> [Int32] { (0..<count).map { Int32(($0 * 31 + seed * 17) % 331) } }
        var batch = TrainingBatch()
        batch.append(prompt: tokens(37, 1), completions: [tokens(60, 2), tokens(1, 3), tokens(45, 4), tokens(2, 5)])
        batch.append(prompt: tokens(32, 6), completions: [tokens(90, 7), tokens(17, 8)])
        batch.append(prompt: tokens(1, 9), completions: [tokens(130, 10)])
        return batch
    }()

    /// Log-probabilities, entropy and gradients of two passes one after the other.
    private static func bits(
        _ parameters: Parameters, adapters: Adapters? = nil, _ storage: ActivationStorage, threads: Int,
        meeting: Rendezvous? = nil
    ) -> [UInt32] {
        let pass = Backpropagation(configuration: parameters.configuration, storage: storage, threads: threads)
        if let meeting {
            pass.forwardProgram = meeting.meeting(before: pass.forwardProgram)
            pass.backwardProgram = meeting.meeting(before: pass.backwardProgram)
        }
        let weights = PolicyWeights(parameters, adapters: adapters)
        let transposed = TransposedWeights(parameters, adapters: adapters)
        let coefficients = batch.targets.indices.map { Float($0 % 5) - 1.5 }
        let gradient = AlignedBuffer<Float>(count: adapters?.count ?? parameters.count)
        var result: [UInt32] = []
        for _ in 0..<2 {
            meeting?.beginStep()
            pass.forward(batch, weights: weights, temperature: 0.8, sharedBy: threads)
            result += pass.logProbabilities.map(\.bitPattern)
            result.append(Float(pass.meanEntropy).bitPattern)
            coefficients.withUnsafeBufferPointer {
                if let adapters {
                    pass.backward(
                        $0, transposed: transposed, adapters: AdapterPanels(adapters), into: gradient.pointer)
                } else {
                    pass.backward($0, transposed: transposed, layout: parameters.layout, into: gradient.pointer)
                }
            }
            result += gradient.span.map(\.bitPattern)
        }
        return result
    }

    /// Every bit is that of one thread, in passes that all threads take part in for certain.
    private func expectEqualBits(
        _ parameters: Parameters, adapters: Adapters? = nil, _ storage: ActivationStorage, threads: [Int]
    ) async {
        let alone = Self.bits(parameters, adapters: adapters, storage, threads: 1)
        #expect(alone.contains { $0 != 0 })
        for threads in threads {
            let executor = ComputeExecutor(threads: threads, pinned: false)
            defer { executor.shutdown() }
            let meeting = Rendezvous(places: threads, programs: 2, steps: 2)
            let shared = await executor.lane(.learner).run {
                Self.bits(parameters, adapters: adapters, storage, threads: threads, meeting: meeting)
            }
            #expect(meeting.succeeded, "a thread did not take part")
            #expect(shared == alone, "\(threads) threads")
        }
    }

    @Test(arguments: ModelFixture.names, Precision.allCases)
    func theyComputeTheSameBits(name: String, precision: Precision) async throws {
        await expectEqualBits(try Self.parameters(name, precision), .kept, threads: [2, 3, 8])
    }

    @Test(arguments: Precision.allCases)
    func theyRecomputeTheSameBits(precision: Precision) async throws {
        await expectEqualBits(try Self.parameters("qwen3-untied", precision), .recomputed, threads: [3])
    }

    @Test func theyComputeTheSameBitsOfAdapters() async throws {
        let parameters = try Self.parameters("qwen3-untied", .bfloat16)
        let adapters = try Adapters(AdapterConfiguration(rank: 3, alpha: 6), of: parameters.configuration)
        var random = SeededGenerator(seed: 8)
        for index in 0..<adapters.count { adapters.pointer[index] = Float.random(in: -0.1...0.1, using: &random) }
        await expectEqualBits(parameters, adapters: adapters, .kept, threads: [2, 5])
    }
}
