import Glibc
import Memory
import Models
import Pipelines
import Synchronization
import TestSupport
import Testing

@testable import Generation

/// Once all of a batch has started, a decode step takes no memory from the allocator: on no thread that takes part.
@Suite struct AllocationTests {
    private static let threads = 2
    /// Past the sizes at which growing arrays double, and past several pages of keys and values.
    private static let steps = 80

    static let samplings = [
        SamplingParameters.greedy, SamplingParameters(), SamplingParameters(temperature: 0.8, topK: 200, topP: 0.9),
        SamplingParameters(temperature: 2, topP: 0.97),
    ]

    /// With one engine the other thread helps in its steps, in half of them for certain; with two, each runs its own.
    @Test(arguments: Precision.allCases.flatMap { precision in samplings.map { (precision, $0) } }, [1, threads])
    func aStepOfAFullBatchAllocatesNothing(
        model: (precision: Precision, sampling: SamplingParameters), engines: Int
    ) async throws {
        #expect(try await Self.allocatedBytes(model.precision, model.sampling, engines: engines) == 0)
    }

    /// The counters see what they are there to see: one buffer of 64 bytes in one of all steps.
    @Test(arguments: Precision.allCases)
    func oneAllocationInOneStepIsSeen(precision: Precision) async throws {
        let bytes = try await Self.allocatedBytes(precision, .greedy, engines: Self.threads) { step in
            guard step == 51 else { return }
            let buffer = AlignedBuffer<UInt8>(count: 64)
            buffer.pointer[0] = 1
        }
        #expect(bytes == 64 * UInt64(Self.threads))
    }

    /// Of all threads of an executor, during the steps of so many engines with full batches.
    private static func allocatedBytes(
        _ precision: Precision, _ sampling: SamplingParameters, engines: Int,
        besides: @escaping @Sendable (_ step: Int) -> Void = { _ in }
    ) async throws -> UInt64 {
        let weights = PolicyWeights(
            try TestModel.parameters(maxPositions: 160, vocabularySize: 700, precision: precision))
        let executor = ComputeExecutor(threads: threads, pinned: false)
        defer { executor.shutdown() }
        let counters = try await counters(of: executor)
        let gate = Gate(arrivals: engines)
        return try await withThrowingTaskGroup(of: UInt64.self) { group in
            for _ in 0..<engines {
                group.addTask(executorPreference: executor.lane(.rollout)) {
                    let generator = try runningGenerator(
                        weights, sampling, threads: Generator.threadsSharing(engines: engines, threads: threads))
                    let meeting =
                        engines < threads
                        ? Rendezvous(places: threads, programs: 2, steps: 1 + steps / 2)
                        : nil
                    meeting?.join(generator, drawing: true)
                    // The other thread may still be on its way out of its last job, which ends in the allocator. Who takes part in
                    // a step has left it.
                    meeting?.beginStep()
                    _ = generator.step(weights)
                    gate.pass()
                    let before = sum(counters)
                    gate.pass()
                    for step in 0..<steps {
                        meeting?.beginStep()
                        _ = generator.step(weights)
                        besides(step)
                    }
                    gate.pass()
                    let after = sum(counters)
                    gate.pass()
                    #expect(generator.activeCount == generator.batchCapacity)
                    #expect(meeting?.succeeded ?? true, "the other thread did not take part")
                    return after - before
                }
            }
            // Each saw all threads.
            return try await group.reduce(into: 0) { $0 = max($0, $1) }
        }
    }

    private static func sum(_ counters: [ThreadAllocations]) -> UInt64 {
        counters.reduce(0) { $0 + $1.bytes }
    }

    private static func counters(of executor: ComputeExecutor) async throws -> [ThreadAllocations] {
        let gate = Gate(arrivals: executor.threads)
        return try await withThrowingTaskGroup(of: ThreadAllocations.self) { group in
            for _ in 0..<executor.threads {
                group.addTask(executorPreference: executor.lane(.rollout)) {
                    // A thread that waits here takes no second one of these jobs.
                    gate.pass()
                    return try ThreadAllocations.ofPresentThread()
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// An engine whose batch is full, of sequences that meet their pages' ends in different steps; none ends.
    private static func runningGenerator(
        _ weights: PolicyWeights, _ sampling: SamplingParameters, threads: Int
    ) throws -> Generator {
        let generator = Generator(
            configuration: weights.configuration, batchCapacity: 10, prefillRows: 30, threads: threads)
        for (index, length) in [1, 15, 16, 17, 40].enumerated() {
            try generator.submit(
                GenerationRequest(
                    identifier: index, prompt: (0..<length).map { Int32($0 * 7 + index) }, sampleCount: 2,
                    maxNewTokens: 110, sampling: sampling, endTokens: [], seed: 11, problemKey: UInt64(index)))
        }
        while generator.activeCount < generator.batchCapacity { _ = generator.step(weights) }
        // The first step without prompts is the last one that may still find room to make.
        _ = generator.step(weights)
        return generator
    }

    /// Threads wait here for one another, without going to other work meanwhile.
    private final class Gate: Sendable {
        private let arrivals: Int
        private let arrived = Atomic(0)

        init(arrivals: Int) {
            self.arrivals = arrivals
        }

        func pass() {
            let number = arrived.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
            let round = (number / arrivals + 1) * arrivals
            while arrived.load(ordering: .acquiring) < round { sched_yield() }
        }
    }
}
