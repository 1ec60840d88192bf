import Foundation
import Generation
import Kernels
import Learning
import Memory
import Models
import Pipelines
import Tasks
import Testing
import Tokenizers
import Trajectories

@testable import Training

@Suite struct MemoryNeedTests {
    private static let shapes = [
        ModelConfiguration(
            hiddenSize: 256, intermediateSize: 700, layerCount: 3, attentionHeadCount: 4, keyValueHeadCount: 2,
            vocabularySize: 3000, maxPositions: 8192),
        ModelConfiguration(
            architecture: .qwen2, hiddenSize: 96, intermediateSize: 192, layerCount: 6, attentionHeadCount: 6,
            keyValueHeadCount: 6, vocabularySize: 900, maxPositions: 20_000, tiesEmbeddings: false),
        // Rows that stand a multiple of 4 KiB apart are moved for products.
        ModelConfiguration(
            hiddenSize: 1024, intermediateSize: 3072, layerCount: 1, attentionHeadCount: 8, keyValueHeadCount: 2,
            vocabularySize: 500, maxPositions: 2048),
    ]

    /// Bytes that the allocator gave this thread while `body` ran; what `body` returns is alive until then.
    private func allocated<Value>(_ body: () throws -> Value) rethrows -> Double {
        let before = Allocator.threadAllocatedBytes()
        let value = try body()
        return withExtendedLifetime(value) { Double(Allocator.threadAllocatedBytes() - before) }
    }

    /// Neither so low that work is let in that cannot fit, nor so high that work is refused that could.
    private func expectClose(
        _ estimate: Double, _ measured: Double, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        // The allocator rounds up to its size classes, which no estimate counts.
        #expect(
            (0.85...1.1).contains(estimate / measured), "\(estimate) estimated, \(measured) taken",
            sourceLocation: sourceLocation)
    }

    @Test(arguments: shapes) func weightsAreCounted(shape: ModelConfiguration) throws {
        let memory = ModelMemory(shape)
        let parameters = try Parameters(configuration: shape)
        expectClose(memory.parameters, try allocated { try Parameters(configuration: shape) })
        expectClose(memory.policyWeights + memory.rotaryTable, allocated { PolicyWeights(parameters) })
    }

    /// What reading and packing takes beside what stays: a bounded number of rows a thread.
    @Test(arguments: shapes, Precision.allCases)
    func servedWeightsAreCounted(shape: ModelConfiguration, precision: Precision) throws {
        var shape = shape
        shape.precision = precision
        let directory = FileManager.default.temporaryDirectory.appending(path: "need-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        for type in [SafeTensors.DataType.float32, .bfloat16] {
            try HuggingFaceDirectory.save(
                try Parameters.randomized(configuration: shape, seed: 1), tokenizer: nil, to: directory, as: type)
            let model = try ModelDirectory(directory.path, precision: precision, logger: TestRun.quietLogger)
            let need = model.servingNeed(positions: 100, threads: 1)
            // Of parts that are read one after another, all but one give their room back.
            var parts: [Double] = []
            let kept = try allocated {
                try model.weights.policyWeights(positions: 100) { tiles, body in
                    for tile in 0..<tiles { parts.append(allocated { body(tile) }) }
                }
            }
            let passing = parts.reduce(0, +) - (parts.max() ?? 0)
            let taken = kept - passing + MemoryNeed.program
            #expect((0.95...1.05).contains(need.bytes / taken), "\(type): \(need.bytes) estimated, \(taken) taken")
        }
    }

    /// The field that makes the weights many, which need not be the largest number.
    @Test func theFieldThatContributesMostIsNamed() {
        var shape = ModelConfiguration(
            architecture: .qwen2, hiddenSize: 896, intermediateSize: 4864, layerCount: 24, attentionHeadCount: 14,
            keyValueHeadCount: 2, vocabularySize: 151_936, maxPositions: 4096)
        #expect(ModelMemory(shape).largestField.name == "vocab_size")
        shape.layerCount = 2000
        #expect(ModelMemory(shape).largestField == ("num_hidden_layers", 2000))
        shape.layerCount = 28
        (shape.hiddenSize, shape.intermediateSize) = (3584, 18_944)
        #expect(ModelMemory(shape).largestField == ("hidden_size", 3584))
        (shape.hiddenSize, shape.intermediateSize) = (896, 100_000)
        #expect(ModelMemory(shape).largestField == ("intermediate_size", 100_000))
        (shape.intermediateSize, shape.headDimension) = (4864, 60_000)
        #expect(ModelMemory(shape).largestField == ("head_dim", 60_000))
    }

    @Test func aModelTooLargeIsBlamedOnTheFieldThatMakesItSo() {
        let shape = ModelConfiguration(
            hiddenSize: 64, intermediateSize: 256, layerCount: 100_000, attentionHeadCount: 4, keyValueHeadCount: 4,
            vocabularySize: 200_000, maxPositions: 512)
        let need = ModelDirectory.trainingNeed(of: shape, path: "model")
        let error = #expect(throws: InsufficientMemory.self) { try need.check(available: 1 << 30) }
        #expect(error?.cause == .field("num_hidden_layers", of: "model/config.json", value: "100000"))
    }

    @Test(arguments: shapes, [(1, 4000), (64, 100), (16, 1000)])
    func generatorsAreCounted(shape: ModelConfiguration, sizes: (batch: Int, longest: Int)) {
        let longest = min(sizes.longest, shape.maxPositions)
        for precision in Precision.allCases {
            for threads in [1, 4] {
                expectGeneratorCounted(shape, precision, batch: sizes.batch, longest: longest, threads: threads)
            }
        }
    }

    private func expectGeneratorCounted(
        _ shape: ModelConfiguration, _ precision: Precision, batch: Int, longest: Int, threads: Int
    ) {
        var shape = shape
        shape.precision = precision
        let measured = allocated {
            Generator(configuration: shape, batchCapacity: batch, longestSequence: longest, threads: threads)
        }
        let estimate = ModelMemory(shape).generator(
            batch: Double(batch), longest: Double(longest), threads: threads)
        expectClose(estimate, measured)
    }

    @Test(arguments: shapes, Precision.allCases)
    func passesAreCounted(shape: ModelConfiguration, precision: Precision) throws {
        var shape = shape
        shape.precision = precision
        let weights = PolicyWeights(try Parameters.randomized(configuration: shape, seed: 1))
        var batch = TrainingBatch()
        let rows = 300
        batch.append(tokens: (0..<rows).map { Int32($0 % 50) }[...])
        for row in 0..<rows { batch.addTarget(row: row, token: 1) }
        let measured = allocated {
            let pass = Backpropagation(configuration: shape, storage: nil)
            pass.forward(batch, weights: weights, temperature: 1)
            return pass
        }
        let count = Double(rows)
        expectClose(ModelMemory(shape).logProbabilities(rows: count, targets: count), measured)
        let stated = Backpropagation.memory(configuration: shape, batch: batch, storage: nil)
        expectClose(Double(stated.reduce(0) { $0 + $1.byteCount }), measured)
        #expect(
            stated
                == Backpropagation.memory(
                    configuration: shape, rows: rows, targets: rows, longest: rows, storage: nil))
    }

    /// Sequences of a few positions: neither workspaces nor gathered keys go by the rows of all together.
    @Test(arguments: shapes, ActivationStorage.allCases)
    func shortSequencesAreCounted(shape: ModelConfiguration, activations: ActivationStorage) throws {
        let parameters = try Parameters.randomized(configuration: shape, seed: 1)
        let weights = PolicyWeights(parameters)
        let transposed = TransposedWeights(parameters)
        let (sequences, length) = (64, 8)
        var batch = TrainingBatch()
        for _ in 0..<sequences {
            let first = batch.rowCount
            batch.append(tokens: (0..<length).map { Int32($0) })
            for row in first..<batch.rowCount { batch.addTarget(row: row, token: 1) }
        }
        let rows = Double(batch.rowCount)
        let gradient = AlignedBuffer<Float>(count: parameters.layout.count)
        let measured = allocated {
            let pass = Backpropagation(configuration: shape, storage: activations)
            pass.forward(batch, weights: weights, temperature: 1)
            Array(repeating: Float(1), count: batch.targets.count).withUnsafeBufferPointer {
                pass.backward($0, transposed: transposed, layout: parameters.layout, into: gradient.pointer)
            }
            return pass
        }
        let memory = ModelMemory(shape, activations: activations)
        expectClose(
            memory.gradient(rows: rows, targets: rows, longest: Double(length)) - memory.parameters, measured)
    }

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
                configuration, model: Self.shapes[1], lengths: sequences)
            return need.parts.first { $0.name == "demonstrations" }?.bytes ?? 0
        }
        #expect(try need("warmup.batchSize=2000000") > 6 * 2_000_000 * lengths.meanBytes)
    }

    /// By the evaluation the learner is gone, so that what it took is not added to a large evaluation.
    @Test func anEvaluationHasNoLearnerBesideIt() throws {
        func parts(_ overrides: [String]) throws -> Set<String> {
            let configuration = try ConfigurationReader.read(file: nil, overrides: overrides)
            return Set(
                MemoryNeed(configuration, model: Self.shapes[1], lengths: SequenceLengths(longest: 200))
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
        let need = MemoryNeed(configuration, model: Self.shapes[0], lengths: SequenceLengths(longest: 250))
        func bytes(_ name: String) -> Double { need.parts.first { $0.name == name }?.bytes ?? 0 }
        #expect(bytes("the other threads' passes") == Double(passes - 1) * bytes("a learner's pass"))
        #expect(bytes("a learner's pass") > 0)
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

    @Test func staleBatchesAreCounted() throws {
        func rollouts(_ maxStaleness: Int) throws -> Double {
            let configuration = try ConfigurationReader.read(
                file: nil, overrides: ["arms=grpo", "maxStaleness=\(maxStaleness)"])
            let need = MemoryNeed(configuration, model: Self.shapes[0], lengths: SequenceLengths(longest: 250))
            return need.parts.first { $0.name == "rollouts" }?.bytes ?? 0
        }
        #expect(try rollouts(1) > 0)
        #expect(try rollouts(9) == 3 * rollouts(1))
    }

    /// A learner with its first update: moments, gradients, panels, a pass, and the next version.
    @Test(arguments: shapes, [Precision.float32, .bfloat16])
    func learnersAreCounted(shape: ModelConfiguration, precision: Precision) throws {
        let rows = 300
        let demonstration = Demonstration(
            prompt: [1], completion: (0..<rows).map { Int32($0 % 50) })
        for activations in ActivationStorage.allCases {
            for rank in [nil, 8] {
                var shape = shape
                shape.precision = precision
                let configuration = rank.map { AdapterConfiguration(rank: $0, alpha: 8) }
                let parameters = try Parameters.randomized(configuration: shape, seed: 1)
                let adapters = try configuration.map { try Adapters.randomized($0, of: shape, seed: 1) }
                let store = PolicyStore(PolicyWeights(parameters, adapters: adapters))
                // Everything on this thread, so that its counter counts everything.
                let executor = EmbeddedExecutor(seed: nil)
                let measured = try allocated {
                    let learner = Learner(
                        parameters: parameters, adapters: adapters, version: PolicyVersion(0),
                        configuration: LearnerConfiguration(
                            schedule: LearningRateSchedule(peak: 1e-3, warmupSteps: 0, totalSteps: 1, shape: .constant),
                            activations: activations), store: store, lane: executor, threads: 1)
                    _ = try executor.run { try await learner.imitate([demonstration]) }
                    return learner
                }
                // Merging and packing take room for some rows or a matrix and give it back: when the panels are made, and twice
                // after the update.
                let passing =
                    2
                    * (allocated { TransposedWeights(parameters, adapters: adapters) }
                        - allocated { TransposedWeights(parameters) })
                    + allocated {
                        store.current.write(parameters, adapters: adapters, version: PolicyVersion(1))
                    }
                let memory = ModelMemory(shape, activations: activations, adapters: configuration)
                let estimate = memory.learner(rows: Double(rows), passes: 1) + memory.policyWeights
                #expect(
                    (0.85...1.1).contains(estimate / (measured - passing)),
                    "\(activations), rank \(rank ?? 0): \(estimate) estimated, \(measured) taken")
            }
        }
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

    @Test func sizesBeyondCountingAreRefused() {
        let huge = ModelConfiguration(
            hiddenSize: 1 << 31, intermediateSize: 1 << 31, layerCount: 10_000, attentionHeadCount: 1 << 31,
            keyValueHeadCount: 1 << 31, headDimension: 1 << 31, vocabularySize: 1 << 31, maxPositions: .max)
        let memory = ModelMemory(huge)
        for bytes in [memory.learner(rows: 1e300, passes: 1e300), memory.parameters, .infinity, .nan] {
            var need = MemoryNeed()
            need.add(bytes, .key("student.layers", value: "1"))
            let error = #expect(throws: InsufficientMemory.self) { try need.check(available: .max) }
            #expect(error?.description.contains("more than an EiB") == true)
        }
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
        let shape = Self.shapes[1]
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
