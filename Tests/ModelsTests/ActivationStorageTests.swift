import Memory
import Testing

@testable import Models

@Suite struct ActivationStorageTests {
    private func batch(_ fixture: ModelFixture) -> TrainingBatch {
        var batch = TrainingBatch()
        batch.append(
            prompt: Array(fixture.tokens[0..<19]),
            completions: [Array(fixture.tokens[19..<30]), Array(fixture.tokens[5..<24])])
        batch.append(prompt: Array(fixture.tokens[3..<20]), completions: [Array(fixture.tokens[20...])])
        return batch
    }

    /// Log-probabilities and gradient of two batches one after the other.
    private func bits(_ fixture: ModelFixture, _ storage: ActivationStorage) throws -> [UInt32] {
        let parameters = fixture.parameters
        let pass = Backpropagation(configuration: parameters.configuration, storage: storage)
        let weights = PolicyWeights(parameters)
        let transposed = TransposedWeights(parameters)
        var result: [UInt32] = []
        for batch in [batch(fixture), fixture.batch] {
            pass.forward(batch, weights: weights, temperature: 0.8)
            result += pass.logProbabilities.map(\.bitPattern)
            let coefficients = batch.targets.indices.map { Float($0 % 5) - 1.5 }
            let gradient = AlignedBuffer<Float>(count: parameters.count)
            coefficients.withUnsafeBufferPointer {
                pass.backward($0, transposed: transposed, layout: parameters.layout, into: gradient.pointer)
            }
            result += (0..<gradient.count).map { gradient.pointer[$0].bitPattern }
        }
        return result
    }

    @Test(arguments: ModelFixture.names)
    func recomputingChangesNoBit(name: String) throws {
        let fixture = try ModelFixture(name)
        #expect(try bits(fixture, .recomputed) == bits(fixture, .kept))
    }

    /// Of more targets than there are logits for at a time.
    @Test(arguments: ModelFixture.names, Precision.allCases)
    func keepingNothingChangesNoLogProbability(name: String, precision: Precision) throws {
        let fixture = try ModelFixture(name)
        var shape = fixture.parameters.configuration
        shape.precision = precision
        let parameters = try Parameters.randomized(configuration: shape, seed: 4)
        let weights = PolicyWeights(parameters)
        var long = TrainingBatch()
        let prompt = Array(fixture.tokens[0..<19])
        for _ in 0..<5 { long.append(prompt: prompt, completions: [Array(fixture.tokens[19...]), prompt]) }
        #expect(long.targets.count > Backpropagation.targetsAtATime)
        func bits(_ storage: ActivationStorage?) -> [UInt32] {
            let pass = Backpropagation(configuration: shape, storage: storage)
            var result: [UInt32] = []
            for batch in [batch(fixture), long, fixture.batch] {
                pass.forward(batch, weights: weights, temperature: 0.8)
                result += pass.logProbabilities.map(\.bitPattern)
            }
            return result
        }
        #expect(bits(nil) == bits(.kept))
    }

    @Test func keepingNothingTakesOneLayerAndAFewLogits() throws {
        let shape = try ModelFixture("qwen3-tied").parameters.configuration
        func sizes(_ storage: ActivationStorage?) -> PassSizes {
            PassSizes(shape, storage: storage, rows: 300, targets: 200, positions: 300)
        }
        #expect(sizes(nil).inputs == 0)
        #expect(sizes(nil).layers < sizes(.recomputed).layers)
        #expect(sizes(nil).logits == 64 * shape.vocabularySize)
        #expect(sizes(.recomputed).logits == 200 * shape.vocabularySize)
    }

    @Test(arguments: ModelFixture.names, ActivationStorage.allCases)
    func memoryIsStatedExactly(name: String, storage: ActivationStorage) throws {
        let fixture = try ModelFixture(name)
        let shape = fixture.parameters.configuration
        let batch = batch(fixture)
        let pass = Backpropagation(configuration: shape, storage: storage)
        let weights = PolicyWeights(fixture.parameters)
        let transposed = TransposedWeights(fixture.parameters)
        pass.forward(batch, weights: weights, temperature: 1)
        let gradient = AlignedBuffer<Float>(count: fixture.parameters.count)
        Array(repeating: Float(1), count: batch.targets.count).withUnsafeBufferPointer {
            pass.backward($0, transposed: transposed, layout: fixture.parameters.layout, into: gradient.pointer)
        }
        let forward =
            pass.tokens.count + pass.positions.count + pass.inputs.count + pass.layerBuffers.count + pass.hidden.count
            + pass.normed.count + pass.normReciprocal.count + pass.targetRows.count + pass.logits.count
            + pass.targetLogSumExp.count + pass.targetLogProbabilities.count + pass.targetEntropies.count
            + pass.scratch.count
        let memory = Backpropagation.memory(
            configuration: shape, batch: batch, storage: storage)
        let bytes = Dictionary(uniqueKeysWithValues: memory.map { ($0.name, $0.byteCount) })
        #expect(memory.prefix(6).reduce(0) { $0 + $1.byteCount } == 4 * forward)
        #expect(
            bytes["gradients of activations"]
                == 4
                * (pass.gradients.hidden.count + pass.gradients.normed.count + pass.gradients.queryKeyValue.count
                    + pass.gradients.normedHeads.count + pass.gradients.attended.count + pass.gradients.gateUp.count
                    + pass.gradients.activated.count + pass.gradients.targetRows.count))
        #expect(bytes["adapters' rows"] == 0)
        let workspaces = pass.workspaces.idle.withLock { $0.map(\.sizes) }
        #expect(workspaces.count == 1 && bytes["workspaces"] == workspaces.first?.byteCount)
        #expect(bytes["keys and values of a layer"] == 4 * pass.pages.memory.count + 8 * pass.pages.tables.count)
        let workspace = WorkspaceSizes(
            shape, rows: batch.rowCount, targets: batch.targets.count, longest: batch.longestSequence)
        #expect([workspace] == workspaces)
        #expect(memory.count == 10)
        let others = Backpropagation.memory(configuration: shape, batch: batch, storage: storage, members: 3)
        for (item, other) in zip(memory, others) {
            #expect(other.byteCount == (item.name == "workspaces" ? 3 : 1) * item.byteCount)
        }
    }

    /// Activations fall from layers × per-layer to layers × [rows, hidden] and one layer.
    @Test func recomputingKeepsInputsAndOneLayer() throws {
        let fixture = try ModelFixture("qwen3-tied")
        var shape = fixture.parameters.configuration
        shape.layerCount = 24
        let batch = batch(fixture)
        func bytes(_ storage: ActivationStorage, _ name: String) -> Int? {
            Backpropagation.memory(configuration: shape, batch: batch, storage: storage)
                .first { $0.name == name }?.byteCount
        }
        #expect(bytes(.recomputed, "layer inputs") == 4 * 24 * batch.rowCount * shape.hiddenSize)
        #expect(bytes(.kept, "layer inputs") == bytes(.recomputed, "layer inputs"))
        #expect(bytes(.kept, "layer activations") == bytes(.recomputed, "layer activations").map { 24 * $0 })
    }

    @Test(arguments: ModelFixture.names)
    func weightsAndPagesAreStatedExactly(name: String) throws {
        let parameters = try ModelFixture(name).parameters
        let shape = parameters.configuration
        let weights = PolicyWeights(parameters)
        #expect(
            PolicyWeights.byteCount(shape)
                == 4 * (weights.embeddingLanes.count + weights.plain.count + weights.panels.count))
        let decoder = DecoderInference(
            configuration: shape, rowCapacity: 33, logitCapacity: 5, pageCapacity: 7, places: 3)
        let memory = DecoderInference.memory(
            configuration: shape, rowCapacity: 33, logitCapacity: 5, pageCapacity: 7, places: 3)
        let elements =
            decoder.pages.memory.count + decoder.buffers.count + decoder.tokens.count + decoder.positions.count
            + decoder.hidden.count + decoder.workspaces.count + decoder.selected.count + decoder.logitRows.count
        #expect(memory.reduce(0) { $0 + $1.byteCount } == 4 * elements)
    }
}
