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
        #expect(bytes("the other threads' passes") == Double(passes - 1) * bytes("a learner's pass"))
        #expect(bytes("a learner's pass") > 0)
        // Any thread may share them.
        #expect(try bytes("workspaces of passes") == 16 * Self.workspace(configuration, threads: 16))
    }

    @Test func aThreadAloneHasOneWorkspace() throws {
        var configuration = try ConfigurationReader.read(
            file: nil, overrides: ["arms=sft", "warmup.steps=0", "threads=1"])
        configuration.task.testProblems = 1
        let need = MemoryNeed(
            configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250), cores: 16)
        #expect(need.parts.contains { $0.name == "a learner's pass" })
        let workspaces = try #require(need.parts.first { $0.name == "workspaces of passes" })
        #expect(try workspaces.bytes == Self.workspace(configuration, threads: 1))
    }

    /// Threads beyond the cores have no pass of their own, nor a workspace for one that they come to: the last micro-batch may have
    /// all cores while the other passes go on.
    @Test(arguments: [(1, 1, 1), (2, 2, 3), (3, 3, 5), (16, 16, 16), (64, 16, 16)])
    func passesBeyondTheCoresAreNotCounted(cores: Int, passes: Int, members: Int) throws {
        var configuration = try ConfigurationReader.read(
            file: nil, overrides: ["arms=sft", "warmup.steps=0", "threads=16", "sft.batchSize=64"])
        configuration.task.testProblems = 1
        let need = MemoryNeed(
            configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250), cores: cores)
        func bytes(_ name: String) -> Double { need.parts.first { $0.name == name }?.bytes ?? 0 }
        #expect(bytes("the other threads' passes") == Double(passes - 1) * bytes("a learner's pass"))
        #expect(bytes("a learner's pass") > 0)
        #expect(try bytes("workspaces of passes") == Double(members) * Self.workspace(configuration, threads: 16))
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

    /// Bytes of one thread's, for the micro-batches of imitation.
    private static func workspace(_ configuration: RunConfiguration, threads: Int) throws -> Double {
        let batch = LargestMicroBatch(
            .sft, configuration, SequenceLengths(longest: 250), memory: ModelMemory(MemoryNeedTests.shapes[0]),
            threads: threads, cores: threads)
        try #require(batch.microBatches > 0)
        return Double(
            WorkspaceSizes(
                MemoryNeedTests.shapes[0], rows: Int(batch.rows), targets: Int(batch.targets.rounded(.up)),
                longest: min(Int(batch.rows), batch.longest)
            ).byteCount)
    }
}
