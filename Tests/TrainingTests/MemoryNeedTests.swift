import Foundation
import Kernels
import Learning
import Memory
import Pipelines
import Tasks
import Testing
import Trajectories

@testable import Generation
@testable import Models
@testable import Training

@Suite struct MemoryNeedTests {
    static let shapes = [
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
        var keysAndValues = (capacity: 0, bytes: 0)
        let measured = allocated {
            let generator = Generator(
                configuration: shape, batchCapacity: batch, longestSequence: longest, threads: threads)
            let pages = generator.inference.pages
            keysAndValues = (pages.capacity, 4 * pages.memory.count)
            return generator
        }
        // The largest buffer may be rounded up by a quarter, which nothing touches.
        let rounding =
            allocated { KeyValuePages(configuration: shape, capacity: keysAndValues.capacity) }
            - Double(keysAndValues.bytes)
        let estimate = ModelMemory(shape).generator(
            batch: Double(batch), longest: Double(longest), threads: threads)
        expectClose(estimate, measured - rounding)
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
            memory.gradient(rows: rows, targets: rows, longest: Double(length)) - memory.parameters
                + memory.workspace(of: [(rows, rows, Double(length))]), measured)
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
                let projections = shape.tiesEmbeddings ? Projection.ofLayers : Projection.allCases
                let configuration = rank.map {
                    AdapterConfiguration(rank: $0, alpha: 8, projections: Set(projections))
                }
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
                            activations: activations), store: store, lane: executor, threads: 1, cores: 1)
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
                let estimate = memory.learner(rows: Double(rows)) + memory.policyWeights
                #expect(
                    (0.85...1.1).contains(estimate / (measured - passing)),
                    "\(activations), rank \(rank ?? 0): \(estimate) estimated, \(measured) taken")
            }
        }
    }

    /// As many as threads that have a core: the estimate and the learner go by the same rule.
    @Test(arguments: [(4, 4), (4, 2), (4, 1), (2, 16)])
    func passesOfALearnerAreCounted(threads: Int, cores: Int) throws {
        let rows = 60
        let shape = Self.shapes[0]
        let demonstrations = Array(
            repeating: Demonstration(prompt: [1], completion: (0..<rows).map { Int32($0 % 50) }), count: 8)
        let parameters = try Parameters.randomized(configuration: shape, seed: 1)
        let store = PolicyStore(PolicyWeights(parameters))
        // As above; each job comes to a micro-batch before any comes to its second.
        let executor = EmbeddedExecutor(seed: nil)
        let measured = try allocated {
            let learner = Learner(
                parameters: parameters, version: PolicyVersion(0),
                configuration: LearnerConfiguration(
                    schedule: LearningRateSchedule(peak: 1e-3, warmupSteps: 0, totalSteps: 1, shape: .constant),
                    microBatchRows: rows), store: store, lane: executor, threads: threads, cores: cores)
            _ = try executor.run { try await learner.imitate(demonstrations) }
            return learner
        }
        let memory = ModelMemory(shape)
        let passes = Learner.passes(microBatches: demonstrations.count, threads: threads, cores: cores, shape)
        #expect(passes.count == min(threads, cores))
        // On this thread one pass comes after another.
        expectClose(
            memory.learner(rows: Double(rows), passes: (passes.count, 1)) + memory.policyWeights, measured)
    }

    @Test func sizesBeyondCountingAreRefused() {
        let huge = ModelConfiguration(
            hiddenSize: 1 << 31, intermediateSize: 1 << 31, layerCount: 10_000, attentionHeadCount: 1 << 31,
            keyValueHeadCount: 1 << 31, headDimension: 1 << 31, vocabularySize: 1 << 31, maxPositions: .max)
        let memory = ModelMemory(huge)
        for bytes in [memory.learner(rows: 1e300, passes: (.max, .max)), memory.parameters, .infinity, .nan] {
            var need = MemoryNeed()
            need.add(bytes, .key("student.layers", value: "1"))
            let error = #expect(throws: InsufficientMemory.self) { try need.check(available: .max) }
            #expect(error?.description.contains("more than an EiB") == true)
        }
    }
}
