import Kernels
import Models
import Testing

@testable import Training

/// Passes of a run's learner that threads have at once, and the workspaces of their members.
@Suite struct PassMemoryNeedTests {
    /// A thread without a micro-batch has memory that it never touches.
    @Test(arguments: [(1, 1), (2, 1), (4, 3), (64, 16)])
    func threadsWithoutAMicroBatchAreNotCounted(batchSize: Int, passes: Int) throws {
        var configuration = try ConfigurationReader.read(
            file: nil, overrides: ["arms=sft", "warmup.steps=0", "threads=16", "sft.batchSize=\(batchSize)"])
        configuration.task.testProblems = 1
        let need = MemoryNeed(
            configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250), cores: 16)
        func bytes(_ name: String) -> Double { need.parts.first { $0.name == name }?.bytes ?? 0 }
        let workspace = try Self.workspace(configuration, threads: 16)
        let pass = bytes("a learner's pass") - workspace
        #expect(pass > 0 && bytes("the other threads' passes") == Double(passes - 1) * pass)
        // Any thread may share them.
        #expect(bytes("the other threads' workspaces") == 15 * workspace)
    }

    /// And it is not for the number of threads that the thread has one.
    @Test func aThreadAloneHasOneWorkspace() throws {
        var configuration = try ConfigurationReader.read(
            file: nil, overrides: ["arms=sft", "warmup.steps=0", "threads=1"])
        configuration.task.testProblems = 1
        let need = MemoryNeed(
            configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250), cores: 16)
        func part(_ name: String) throws -> MemoryNeed.Part { try #require(need.parts.first { $0.name == name }) }
        let pass = try part("a learner's pass")
        let batch = try Self.microBatch(configuration, threads: 1)
        #expect(try pass.bytes == #require(batch.passes.first) + Self.workspace(configuration, threads: 1))
        #expect(try pass.cause == part("weights").cause && pass.cause != .key("threads", value: "1"))
        #expect(try part("the other threads' workspaces").bytes == 0)
    }

    /// Threads beyond the cores have no pass of their own, nor a workspace for one that they come to: the last micro-batch may
    /// have all cores while the other passes go on.
    @Test(arguments: [(1, 1, 1), (2, 2, 3), (3, 3, 5), (16, 16, 16), (64, 16, 16)])
    func passesBeyondTheCoresAreNotCounted(cores: Int, passes: Int, members: Int) throws {
        var configuration = try ConfigurationReader.read(
            file: nil, overrides: ["arms=sft", "warmup.steps=0", "threads=16", "sft.batchSize=64"])
        configuration.task.testProblems = 1
        let need = MemoryNeed(
            configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250), cores: cores)
        func bytes(_ name: String) -> Double { need.parts.first { $0.name == name }?.bytes ?? 0 }
        let workspace = try Self.workspace(configuration, threads: 16)
        let pass = bytes("a learner's pass") - workspace
        #expect(pass > 0 && bytes("the other threads' passes") == Double(passes - 1) * pass)
        #expect(bytes("the other threads' workspaces") == Double(members - 1) * workspace)
    }

    /// In bfloat16 each thread's stack has room for single values, where the variant's products take any.
    @Test(arguments: [1, 16]) func stacksOfThreadsAreCounted(threads: Int) throws {
        func program(_ precision: Precision) throws -> Double {
            var shape = MemoryNeedTests.shapes[0]
            shape.precision = precision
            let configuration = try ConfigurationReader.read(file: nil, overrides: ["threads=\(threads)"])
            let need = MemoryNeed(configuration, model: shape, lengths: SequenceLengths(longest: 250), cores: 2)
            return try #require(need.parts.first { $0.name == "the program" }).bytes
        }
        let room = Double(threads * BFloat16Product.stackRoom)
        #expect(try program(.float32) == MemoryNeed.programWithTask)
        #expect(try program(.bfloat16) == MemoryNeed.programWithTask + room)
        let takesPairs = InstructionSet.current == .avx512bf16
        #expect(!takesPairs || room == 0)
        #expect(![.avx2, .avx512].contains(InstructionSet.current) || room == Double(threads << 18))
    }

    /// Of imitation.
    private static func microBatch(_ configuration: RunConfiguration, threads: Int) throws -> LargestMicroBatch {
        let batch = LargestMicroBatch(
            .sft, configuration, SequenceLengths(longest: 250), memory: ModelMemory(MemoryNeedTests.shapes[0]),
            threads: threads, cores: threads)
        try #require(batch.microBatches > 0)
        return batch
    }

    /// Bytes of one member's.
    private static func workspace(_ configuration: RunConfiguration, threads: Int) throws -> Double {
        let batch = try microBatch(configuration, threads: threads)
        return Double(
            WorkspaceSizes(
                MemoryNeedTests.shapes[0], rows: Int(batch.rows), targets: Int(batch.targets.rounded(.up)),
                longest: min(Int(batch.rows), batch.longest)
            ).byteCount)
    }
}
