import Learning
import Memory
import Tasks
import Testing
import Trajectories

@testable import Models
@testable import Training

/// The most of each buffer that a phase's micro-batches ask for.
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

    /// Of more than are gone through, a longer one among the later ones counts too.
    @Test func aLongDemonstrationAmongLaterOnesIsCounted() throws {
        func made(longAt place: Int, steps: Int) throws -> (rows: Int, count: Int) {
            var lengths = Array(repeating: 4, count: DemonstrationLengths.mostInOrder + 200)
            lengths[place] = 3000
            return try Self.microBatch(.base, of: lengths, "warmup.batchSize=100", "warmup.steps=\(steps)")
        }
        let known = DemonstrationLengths.mostInOrder / 100
        // Of an update without it, four hundred rows in one part.
        #expect(try made(longAt: known * 100, steps: known) == (400, 1))
        let late = try made(longAt: known * 100, steps: known + 1)
        #expect(late.rows >= 3000 && late.count >= 9)
        let early = try made(longAt: 5, steps: known + 1)
        #expect((3000..<3400).contains(early.rows) && early.count < late.count)
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

    /// Problems of unlike shapes: many rows with few targets, and fewer rows of which almost all have one.
    private static let unlike = [(prompt: 1500, newTokens: 4), (prompt: 10, newTokens: 300)]

    /// A pass's buffers grow by one or the other and stay, so that after two unlike micro-batches it has more than either alone makes
    /// of it: as much as its buffers come to when both have gone through it, whichever was first.
    @Test(arguments: [[0, 1], [1, 0]], ActivationStorage.allCases)
    func aPassKeepsTheMostOfEachBuffer(order: [Int], activations: ActivationStorage) throws {
        let parameters = try Parameters.randomized(configuration: Self.small, seed: 1)
        let memory = ModelMemory(Self.small, activations: activations)
        let largest = try Self.largestMicroBatch(memory, "reinforcement.groupSize=2")
        let weights = PolicyWeights(parameters)
        let transposed = TransposedWeights(parameters)
        let gradient = AlignedBuffer<Float>(count: parameters.count)
        let pass = Backpropagation(configuration: Self.small, storage: activations)
        for problem in order.map({ Self.unlike[$0] }) {
            var batch = TrainingBatch()
            batch.append(
                prompt: Array(repeating: 1, count: problem.prompt),
                completions: Array(repeating: Array(repeating: 2, count: problem.newTokens), count: 2))
            pass.forward(batch, weights: weights, temperature: 1)
            Array(repeating: Float(1), count: batch.targets.count).withUnsafeBufferPointer {
                pass.backward($0, transposed: transposed, layout: parameters.layout, into: gradient.pointer)
            }
            let alone = try Self.bytes(of: largest([problem], 1)) - memory.trained
            if problem == Self.unlike[order[0]] { expectClose(alone, Double(Self.bytes(of: pass))) }
        }
        let both = try largest(Self.unlike, 1)
        expectClose(try Self.bytes(of: both) - memory.trained, Double(Self.bytes(of: pass)))
        let each = try Self.unlike.map { try largest([$0], 1) }
        #expect(both.rows == each[0].rows && both.targets == each[1].targets && both.longest == each[0].longest)
        #expect(both.passes[0] > 1.1 * max(each[0].passes[0], each[1].passes[0]))
    }

    /// With a vocabulary that weighs about as much as a layer's activations.
    private static let small = ModelConfiguration(
        hiddenSize: 64, intermediateSize: 192, layerCount: 2, attentionHeadCount: 4, keyValueHeadCount: 2,
        vocabularySize: 2000, maxPositions: 2048)

    /// Of the first pass with its workspace.
    private static func bytes(of largest: LargestMicroBatch) throws -> Double {
        try #require(largest.passes.first) + largest.workspace
    }

    /// Of all buffers that a pass has, as it stands.
    private static func bytes(of pass: Backpropagation) -> Int {
        let forward =
            pass.tokens.count + pass.positions.count + pass.inputs.count + pass.layerBuffers.count + pass.hidden.count
            + pass.normed.count + pass.normReciprocal.count + pass.targetRows.count + pass.logits.count
            + pass.targetLogSumExp.count + pass.targetLogProbabilities.count + pass.targetEntropies.count
            + pass.scratch.count
        let backward =
            pass.gradients.hidden.count + pass.gradients.normed.count + pass.gradients.queryKeyValue.count
            + pass.gradients.normedHeads.count + pass.gradients.attended.count + pass.gradients.gateUp.count
            + pass.gradients.activated.count + pass.gradients.targetRows.count
            + pass.gradients.lowRank.count + pass.gradients.discarded.count
        return 4 * (forward + backward + pass.pages.memory.count) + 8 * pass.pages.tables.count
            + pass.workspaces.idle.withLock { $0.reduce(0) { $0 + $1.sizes.byteCount } }
    }

    /// The first pass has had all micro-batches; those beside it, of updates with several alone, never the long one.
    @Test func passesAtOnceAreCounted() throws {
        let memory = ModelMemory(MemoryNeedTests.shapes[0])
        let largest = try Self.largestMicroBatch(
            memory, "reinforcement.groupSize=8", "reinforcement.problemsPerBatch=1")
        let problems = [(9000, 4), (100, 700)]
        let each = try problems.map { try largest([$0], 16) }
        #expect(each.map(\.microBatches) == [1, 7] && each.map(\.passes.count) == [1, 7])
        let all = try largest(problems, 16)
        #expect(all.microBatches == 7)
        let first = memory.gradient(rows: each[0].rows, targets: each[1].targets, longest: Double(each[0].longest))
        #expect(all.passes == [first] + each[1].passes.dropFirst())
        #expect(first > each[0].passes[0] && each[0].passes[0] > each[1].passes[0])
        #expect(try largest(problems, 1).passes == [first])
        // Of two groups the other may have seven, and any of the eight passes take the long one.
        let ofTwo = try Self.largestMicroBatch(
            memory, "reinforcement.groupSize=8", "reinforcement.problemsPerBatch=2")
        let passes = try ofTwo(problems, 16).passes
        let short = try ofTwo([problems[1]], 16).passes
        #expect(passes.count == 14 && passes.prefix(8).allSatisfy { $0 == first })
        #expect(passes.dropFirst(8) == short.dropFirst(8))
    }

    /// Any workspace has served the long micro-batch too, of which there is but one pass, and which all threads share.
    @Test func workspacesKeepTheMostOfEachBuffer() throws {
        let shape = MemoryNeedTests.shapes[0]
        let largest = try Self.largestMicroBatch(
            ModelMemory(shape), "reinforcement.groupSize=8", "reinforcement.problemsPerBatch=1")
        let problems = [(9000, 4), (100, 700)]
        let workspace = PassWorkspace()
        var each: [Double] = []
        for problem in problems {
            let alone = try largest([problem], 16)
            let sizes = WorkspaceSizes(
                shape, rows: Int(alone.rows), targets: Int(alone.targets), longest: alone.longest)
            #expect(alone.members == 16 && alone.workspace == Double(sizes.byteCount))
            each.append(alone.workspace)
            workspace.reserve(sizes)
        }
        let all = try largest(problems, 16)
        #expect(all.members == 16 && all.workspace == Double(workspace.sizes.byteCount))
        #expect(all.workspace >= each[0] && each[0] > each[1])
        let alone = try largest(problems, 1)
        #expect(alone.members == 1 && alone.workspace == all.workspace)
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
