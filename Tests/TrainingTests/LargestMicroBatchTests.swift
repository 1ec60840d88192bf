import Learning
import Models
import Tasks
import Testing
import Trajectories

@testable import Training

/// The micro-batch of a phase that takes most.
@Suite struct LargestMicroBatchTests {
    /// Of demonstrations that are made later, the lengths of some are known: the shorter the shortest of them, the more rows a
    /// micro-batch can come to.
    @Test func theShortestDemonstrationBoundsAMicroBatch() throws {
        func rows(_ lengths: [Int]) throws -> Int {
            try Self.microBatch(.base, of: lengths, "warmup.batchSize=32").rows
        }
        // Eight micro-batches of four.
        #expect(try rows([96, 96]) == 384)
        #expect(try rows([96, 60]) > 384)
        #expect(try rows([96, 1]) > rows([96, 60]))
    }

    /// Where all are known that a run reaches, its own updates are counted.
    @Test func demonstrationsAreCountedInTheirOrder() throws {
        let lengths = [300, 300, 20, 500]
        func made(steps: Int) throws -> [Int] {
            let largest = try Self.microBatch(.base, of: lengths, "warmup.batchSize=2", "warmup.steps=\(steps)")
            return [largest.rows, largest.count]
        }
        #expect(try made(steps: 0)[1] == 0)
        #expect(try made(steps: 1) == [300, 2])
        #expect(try made(steps: 2) == [520, 2])
        #expect(try made(steps: 3)[0] > 520)
        // Of traces, one update goes through all, in whatever order, and later ones again.
        for steps in [1, 2, 100] {
            let largest = try Self.microBatch(.sft, of: lengths, "sft.batchSize=4", "sft.steps=\(steps)")
            #expect((2...3).contains(largest.count) && (500...820).contains(largest.rows))
        }
        // Too many to go through.
        #expect(try Self.microBatch(.sft, of: lengths, "sft.batchSize=16777216").count > 1_000_000)
    }

    private static func microBatch(
        _ phase: RunPhase, of rows: [Int], _ overrides: String...
    ) throws -> (rows: Int, count: Int) {
        var sequences = SequenceLengths(longest: 250)
        let lengths = try #require(
            DemonstrationLengths(
                rows.map { Demonstration(prompt: [1], completion: Array(repeating: 1, count: $0)) }))
        (sequences.warmup, sequences.traced) = (lengths, lengths)
        let configuration = try ConfigurationReader.read(file: nil, overrides: overrides)
        let largest = LargestMicroBatch(
            phase, configuration, sequences, memory: ModelMemory(MemoryNeedTests.shapes[0]), threads: 1, cores: 1)
        return (Int(largest.rows), largest.microBatches)
    }

    /// In the run's order, each once, however long the run.
    @Test func everyProblemThatARunReachesIsCounted() throws {
        let known = try #require(try RunMaterial(RunConfiguration(), logger: TestRun.quietLogger).task.training.first)
        let problems = (1...50).map { length in
            var problem = known
            problem.maxNewTokens = length
            return problem
        }
        var configuration = RunConfiguration()
        configuration.reinforcement.problemsPerBatch = 4
        let order = ProblemOrder(count: problems.count, seed: configuration.seed)
        for steps in [0, 1, 7, 1000] {
            configuration.steps = steps
            let lengths = SequenceLengths(longest: 200, training: problems, tests: [])
            #expect(
                RolloutLengths(configuration, lengths).longest.map(\.newTokens)
                    == (0..<min(50, 4 * steps)).map { order.problem(at: $0).index + 1 })
        }
    }

    /// Rows with a target take a distribution over the vocabulary: more rows of prompts may take less.
    @Test func theMicroBatchThatTakesMostIsCounted() throws {
        let memory = ModelMemory(MemoryNeedTests.shapes[0])
        let largest = try Self.largestMicroBatch(memory, "reinforcement.groupSize=2")
        let problems = [(500, 4), (10, 200)]
        let each = try problems.map { try largest([$0], 1) }
        let all = try largest(problems, 1)
        #expect(all.pass(memory) == each.map { $0.pass(memory) }.max())
        #expect(all.rows < each.map(\.rows).max() ?? 0)
    }

    /// A pass alone may take more than any other, and several others that threads have at once more than it.
    @Test func passesAtOnceAreCounted() throws {
        let memory = ModelMemory(MemoryNeedTests.shapes[0])
        let largest = try Self.largestMicroBatch(
            memory, "reinforcement.groupSize=8", "reinforcement.problemsPerBatch=1")
        let problems = [(9000, 4), (100, 700)]
        let each = try problems.map { try largest([$0], 1) }
        #expect(each[0].pass(memory) > each[1].pass(memory))
        #expect(each.map(\.microBatches) == [1, 7])
        #expect(try largest(problems, 1).microBatches == 1)
        #expect(try largest(problems, 16).microBatches == 7)
    }

    /// A thread's workspace has served the long micro-batch too, of which there is but one pass, and which all threads share.
    @Test func workspacesAreCountedOfTheMicroBatchThatAsksForMost() throws {
        let memory = ModelMemory(MemoryNeedTests.shapes[0])
        let largest = try Self.largestMicroBatch(
            memory, "reinforcement.groupSize=8", "reinforcement.problemsPerBatch=1")
        let problems = [(9000, 4), (100, 700)]
        let each = try problems.map { try largest([$0], 16) }
        let long = PassWorkspaces.byteCount(
            configuration: MemoryNeedTests.shapes[0], rows: Int(each[0].rows), targets: Int(each[0].targets),
            longest: each[0].longest)
        #expect(each[0].longest == 9004)
        #expect(each[0].workspaces == Double(16 * long) && each[0].workspaces > each[1].workspaces)
        let all = try largest(problems, 16)
        #expect(all.longest == each[1].longest && all.microBatches == each[1].microBatches)
        #expect(all.workspaces == each[0].workspaces)
        #expect(try largest(problems, 1).workspaces == 0)
    }

    /// Each group of an update has micro-batches of its own; of problems cut at one length, the longest prompt counts.
    @Test func passesOfAllGroupsAreCounted() throws {
        let memory = ModelMemory(MemoryNeedTests.shapes[0])
        for groups in [1, 3] {
            let largest = try Self.largestMicroBatch(
                memory, "reinforcement.groupSize=8", "reinforcement.problemsPerBatch=\(groups)")
            #expect(try largest([(100, 700)], 16).microBatches == 7 * groups)
            for problems in [[(100, 700), (300, 700), (200, 700)], [(300, 700), (100, 700)]] {
                let all = try largest(problems, 16)
                let longest = try largest([(300, 700)], 16)
                #expect(all.longest == 1000 && all.rows == longest.rows && all.microBatches == longest.microBatches)
            }
        }
    }

    /// What the learner of every phase is told.
    @Test(arguments: RunPhase.allCases) func theRowsOfMicroBatchesReachTheLearner(phase: RunPhase) throws {
        let configuration = try ConfigurationReader.read(file: nil, overrides: ["learner.microBatchRows=77"])
        #expect(configuration.learner(of: phase).microBatchRows == 77)
        #expect(configuration.learner(of: phase).rolloutRows == 154)
    }

    private static func largestMicroBatch(
        _ memory: ModelMemory, _ overrides: String...
    ) throws -> (_ problems: [(prompt: Int, newTokens: Int)], _ threads: Int) throws -> LargestMicroBatch {
        let known = try #require(try RunMaterial(RunConfiguration(), logger: TestRun.quietLogger).task.training.first)
        let configuration = try ConfigurationReader.read(file: nil, overrides: ["arms=grpo", "steps=3"] + overrides)
        return { problems, threads in
            let prepared = problems.map { prompt, newTokens in
                var problem = known
                problem.prompt = Array(repeating: 1, count: prompt)
                problem.maxNewTokens = newTokens
                return problem
            }
            return LargestMicroBatch(
                .grpo, configuration, SequenceLengths(longest: 10_000, training: prepared, tests: []), memory: memory,
                threads: threads, cores: threads)
        }
    }
}
