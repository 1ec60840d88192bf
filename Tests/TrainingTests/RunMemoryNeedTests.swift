import Foundation
import Generation
import Kernels
import Learning
import Memory
import Models
import Tasks
import Testing
import Tokenizers
import Trajectories

@testable import Pipelines
@testable import Training

/// What a run's configuration comes to.
@Suite struct RunMemoryNeedTests {
    /// Batches that are made ahead of a large update, and its micro-batches.
    @Test func demonstrationsAreCounted() throws {
        let demonstrations = (0..<3000).map { index in
            Demonstration(
                prompt: (0..<20 + index % 30).map { Int32($0) }, completion: (0..<10 + index % 50).map { Int32($0) })
        }
        let lengths = try #require(DemonstrationLengths(demonstrations))
        #expect(lengths.longest == 49 + 59)
        let batch = allocated {
            var copies: [Demonstration] = []
            copies.reserveCapacity(demonstrations.count)
            for one in demonstrations {
                copies.append(Demonstration(prompt: one.prompt.map { $0 }, completion: one.completion.map { $0 }))
            }
            return copies
        }
        expectClose(Double(demonstrations.count) * lengths.meanBytes, batch)
        func need(_ override: String) throws -> Double {
            let configuration = try ConfigurationReader.read(file: nil, overrides: ["arms=grpo", override])
            var sequences = SequenceLengths(longest: 200)
            sequences.warmup = lengths
            let need = MemoryNeed(
                configuration, model: MemoryNeedTests.shapes[1], lengths: sequences)
            return need.parts.first { $0.name == "demonstrations" }?.bytes ?? 0
        }
        // Six batches, and the rows of one.
        let size = 2_000_000.0
        let counted = try need("warmup.batchSize=2000000")
        #expect(counted > 6 * size * lengths.meanBytes)
        #expect(counted < size * (6 * lengths.meanBytes + 1.1 * lengths.meanMicroBatchBytes))
    }

    /// By the evaluation the learner is gone, so that what it took is not added to a large evaluation.
    @Test func anEvaluationHasNoLearnerBesideIt() throws {
        func parts(_ overrides: [String]) throws -> Set<String> {
            let configuration = try ConfigurationReader.read(file: nil, overrides: overrides)
            return Set(
                MemoryNeed(configuration, model: MemoryNeedTests.shapes[1], lengths: SequenceLengths(longest: 200))
                    .parts.map(\.name))
        }
        let learner: Set<String> = ["a learner's pass", "moments, sum of gradients", "a checkpoint's copies"]
        let evaluating = try parts(["task.testProblems=20000"])
        #expect(evaluating.contains("evaluation") && evaluating.isDisjoint(with: learner))
        let training = try parts(["task.testProblems=1", "evaluation.samples=1"])
        #expect(!training.contains("evaluation") && training.isSuperset(of: learner))
    }

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
        #expect(try bytes("workspaces of shared passes") == 16 * Self.workspace(configuration, threads: 16))
    }

    @Test func aThreadAloneHasNoWorkspaceForSharing() throws {
        var configuration = try ConfigurationReader.read(
            file: nil, overrides: ["arms=sft", "warmup.steps=0", "threads=1"])
        configuration.task.testProblems = 1
        let need = MemoryNeed(
            configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250), cores: 16)
        #expect(need.parts.contains { $0.name == "a learner's pass" })
        #expect((need.parts.first { $0.name == "workspaces of shared passes" }?.bytes ?? 0) == 0)
    }

    /// Bytes of one thread's, for the micro-batches of imitation.
    private static func workspace(_ configuration: RunConfiguration, threads: Int) throws -> Double {
        let batch = LargestMicroBatch(
            .sft, configuration, SequenceLengths(longest: 250), memory: ModelMemory(MemoryNeedTests.shapes[0]),
            threads: threads, cores: threads)
        try #require(batch.microBatches > 0)
        return Double(
            PassWorkspaces.byteCount(
                configuration: MemoryNeedTests.shapes[0], rows: Int(batch.rows),
                targets: Int(batch.targets.rounded(.up)), longest: min(Int(batch.rows), batch.longest)))
    }

    /// Threads beyond the cores have no pass of their own, and a single core's share none.
    @Test(arguments: [(1, 1), (2, 2), (3, 3), (16, 16), (64, 16)])
    func passesBeyondTheCoresAreNotCounted(cores: Int, passes: Int) throws {
        var configuration = try ConfigurationReader.read(
            file: nil, overrides: ["arms=sft", "warmup.steps=0", "threads=16", "sft.batchSize=64"])
        configuration.task.testProblems = 1
        let need = MemoryNeed(
            configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250), cores: cores)
        func bytes(_ name: String) -> Double { need.parts.first { $0.name == name }?.bytes ?? 0 }
        #expect(bytes("the other threads' passes") == Double(passes - 1) * bytes("a learner's pass"))
        #expect(bytes("a learner's pass") > 0)
        #expect((bytes("workspaces of shared passes") > 0) == (cores > 1))
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

    /// Of whichever arm comes last, waits of shared steps included; of the others none is kept.
    @Test func theTimelineOfTheLastArmIsCounted() throws {
        func timeline(_ overrides: String...) throws -> Double? {
            let configuration = try ConfigurationReader.read(
                file: nil, overrides: ["threads=4", "task.testProblems=1", "evaluation.samples=0"] + overrides)
            let need = MemoryNeed(
                configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250))
            return need.parts.first { $0.name == "the timeline" }?.bytes
        }
        let full = TraceRecorder.byteCount(threads: 4, spans: .max, waits: .max, depths: .max)
        #expect(full == 4 * 2 * 65_536 * 24 + 65_536 * MemoryLayout<TraceRecorder.Depth>.stride)
        #expect(try timeline("arms=grpo", "steps=100000", "workers=1") == Double(full))
        let alone = try #require(try timeline("arms=grpo", "steps=30"))
        let shared = try #require(try timeline("arms=grpo", "steps=30", "workers=1"))
        #expect(alone < shared && shared < Double(full))
        let imitation = try #require(try timeline("arms=sft", "warmup.steps=0", "sft.steps=100"))
        #expect(imitation > 0 && imitation < alone)
    }

    @Test func staleBatchesAreCounted() throws {
        func rollouts(_ maxStaleness: Int) throws -> Double {
            let configuration = try ConfigurationReader.read(
                file: nil, overrides: ["arms=grpo", "maxStaleness=\(maxStaleness)"])
            let need = MemoryNeed(
                configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250))
            return need.parts.first { $0.name == "rollouts" }?.bytes ?? 0
        }
        #expect(try rollouts(1) > 0)
        #expect(try rollouts(9) == 3 * rollouts(1))
    }

    /// Passes over millions of rows have a figure, and what was asked for beyond the usual is named.
    @Test(arguments: [
        (["warmup.batchSize=20000", "learner.microBatchRows=16777216"], "learner.microBatchRows"),
        (["maxStaleness=10000000", "arms=grpo"], "maxStaleness"),
    ])
    func whatTakesMostIsNamed(overrides: [String], key: String) throws {
        let configuration = try ConfigurationReader.read(file: nil, overrides: overrides)
        let need = MemoryNeed(
            configuration, model: MemoryNeedTests.shapes[0], lengths: SequenceLengths(longest: 250))
        let error = #expect(throws: InsufficientMemory.self) { try need.check(available: 1 << 30) }
        #expect("\(try #require(error))".contains(key))
        #expect(need.bytes < 1e15)
    }

    @Test func whatDoesNotFitNamesItsLargestPart() {
        var need = MemoryNeed()
        need.add(100, .option("--batch", value: "7"))
        need.add(3000, .field("tokens", of: "rows.jsonl", line: 4, value: "9 tokens long"))
        #expect(throws: Never.self) { try need.check(available: 3100) }
        let error = #expect(throws: InsufficientMemory.self) { try need.check(available: 2048) }
        #expect(
            error?.description
                == "rows.jsonl, line 4: tokens: is 9 tokens long: the work would take about 3.0 KiB of memory, and 2.0 KiB are "
                + "there")
    }

    @Test(arguments: [
        ("student.hiddenSize=1048572", "student.hiddenSize"),
        ("student.intermediateSize=1048576", "student.intermediateSize"),
        ("reinforcement.problemsPerBatch=16777216", "reinforcement.problemsPerBatch"),
        ("reinforcement.groupSize=16777216", "reinforcement.groupSize"),
        ("evaluation.samples=16777216", "evaluation.samples"), ("warmup.batchSize=16777216", "warmup.batchSize"),
    ])
    func aRunThatCannotFitNamesItsKey(override: String, key: String) throws {
        var configuration = try ConfigurationReader.read(file: nil, overrides: [override])
        configuration.threads = 2
        try configuration.validate()
        let student = configuration.student
        let model = ModelConfiguration(
            hiddenSize: student.hiddenSize, intermediateSize: student.intermediateSize, layerCount: student.layers,
            attentionHeadCount: student.attentionHeads, keyValueHeadCount: student.keyValueHeads, vocabularySize: 80,
            maxPositions: student.maxPositions)
        let need = MemoryNeed(configuration, model: model, lengths: SequenceLengths(longest: 200))
        let error = #expect(throws: InsufficientMemory.self) { try need.check(available: 300 << 20) }
        guard case .key(let named, _) = error?.cause else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(named == key)
    }

    @Test func problemsAreCountedBeforeTheyAreMade() throws {
        let configuration = try ConfigurationReader.read(file: nil, overrides: ["task.trainingProblems=16777216"])
        let error = #expect(throws: InsufficientMemory.self) {
            try MemoryNeed(problemsOf: configuration).check(available: 1 << 30)
        }
        #expect(error?.cause == .key("task.trainingProblems", value: "16777216"))
    }

    /// A large file of which few rows are used: what reading it takes is counted where it is more than all that follows.
    @Test func readingTaskFilesIsCounted() throws {
        let shape = MemoryNeedTests.shapes[1]
        func need(reading bytes: Double, problems: Int) -> MemoryNeed {
            var configuration = RunConfiguration()
            configuration.task.kind = .jsonl
            configuration.task.training = "rows.jsonl"
            configuration.threads = 2
            var lengths = SequenceLengths(longest: 200)
            (lengths.readingBytes, lengths.problems) = (bytes, problems)
            return MemoryNeed(configuration, model: shape, lengths: lengths)
        }
        let none = need(reading: 0, problems: 10)
        #expect(none.parts.allSatisfy { $0.name != "reading the task's files" })
        // What little it takes is free again for all that follows; the whole of most.
        #expect(need(reading: none.bytes / 4, problems: 10).bytes == none.bytes)
        let huge = 100 * none.bytes
        #expect((1...1.1).contains(need(reading: huge, problems: 10).bytes / huge))
        let error = #expect(throws: InsufficientMemory.self) {
            try need(reading: huge, problems: 10).check(available: Int(huge / 2))
        }
        #expect(error?.cause == .key("task.training", value: "rows.jsonl"))
    }

    /// Of whole texts: the rows and the size of a file are counted.
    @Test func aTaskFileIsCountedByItsRowsAndItsSize() async throws {
        try await withTemporaryFolder { folder in
            let tokenizer = try Tokenizer.closed(symbols: ["a", "b", "\n"], beginning: "<s>", end: "</s>")
            let shape = ModelConfiguration(
                hiddenSize: 16, intermediateSize: 24, layerCount: 1, attentionHeadCount: 2, keyValueHeadCount: 1,
                vocabularySize: tokenizer.vocabularySize, maxPositions: 8, beginningToken: 0, endTokens: [1])
            try HuggingFaceDirectory.save(
                Parameters.randomized(configuration: shape, seed: 1), tokenizer: tokenizer, to: folder)
            let text = String(repeating: "{\"question\": \"a\", \"answer\": \"b\", \"trace\": \"b\"}\n", count: 1000)
            let file = folder.appending(path: "rows.jsonl")
            try Data(text.utf8).write(to: file)
            var configuration = TestRun.configuration()
            configuration.task.kind = .jsonl
            configuration.task.maxNewTokens = 1
            configuration.task.training = file.path
            configuration.student.model = folder.path
            let material = try RunMaterial(configuration, logger: TestRun.quietLogger)
            #expect(material.task.training.count == 5)
            #expect(material.task.readingBytes == 2 * Double(text.utf8.count) + 400 * 1000)
            // As a cache of downloads has them.
            let link = folder.appending(path: "link.jsonl")
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
            configuration.task.training = link.path
            let linked = try RunMaterial(configuration, logger: TestRun.quietLogger)
            #expect(linked.task.readingBytes == material.task.readingBytes)
        }
    }

    @Test func theBuiltInRunFitsASmallMachine() throws {
        let material = try RunMaterial(RunConfiguration(), logger: TestRun.quietLogger)
        var configuration = RunConfiguration()
        configuration.threads = 4
        let need = MemoryNeed(
            configuration, model: material.student.configuration,
            lengths: SequenceLengths(
                longest: material.longestSequence, training: material.task.training,
                tests: material.task.tests))
        #expect(need.bytes < 0x1p29)
    }
}
