import Memory
import Testing

@testable import Models

@Suite struct AdapterGradientTests {
    private func gradient(
        _ fixture: AdapterFixture, _ batch: TrainingBatch, coefficients: [Float], storage: ActivationStorage = .kept
    ) -> [Float] {
        let pass = Backpropagation(configuration: fixture.base.configuration, storage: storage)
        pass.forward(batch, weights: PolicyWeights(fixture.base, adapters: fixture.adapters), temperature: 1)
        let transposed = TransposedWeights(fixture.base, adapters: fixture.adapters)
        let gradient = AlignedBuffer<Float>(count: fixture.adapters.count)
        coefficients.withUnsafeBufferPointer {
            pass.backward(
                $0, transposed: transposed, adapters: AdapterPanels(fixture.adapters), into: gradient.pointer)
        }
        return (0..<gradient.count).map { gradient.pointer[$0] }
    }

    @Test(arguments: AdapterFixture.names)
    func logitsAndLossAreThoseOfPyTorch(name: String) throws {
        let fixture = try AdapterFixture(name)
        let shape = fixture.base.configuration
        let pass = Backpropagation(configuration: shape)
        pass.forward(fixture.batch, weights: PolicyWeights(fixture.base, adapters: fixture.adapters), temperature: 1)
        let count = (fixture.tokens.count - 1) * shape.vocabularySize
        let worst = (0..<count).map { abs(pass.logits.pointer[$0] - fixture.logits[$0]) }.max() ?? .infinity
        #expect(worst <= 1e-4)
        let loss = zip(fixture.coefficients, pass.logProbabilities).reduce(0) { $0 - Double($1.0) * Double($1.1) }
        #expect(abs(loss - Double(fixture.loss)) <= 1e-4 * abs(Double(fixture.loss)))
    }

    @Test(arguments: AdapterFixture.names)
    func everyGradientIsThatOfPyTorch(name: String) throws {
        let fixture = try AdapterFixture(name)
        let gradient = gradient(fixture, fixture.batch, coefficients: fixture.coefficients.map { -$0 })
        for entry in fixture.adapters.layout.entries {
            let expected = try fixture.gradient(of: entry.name)
            let largest = expected.map(abs).max() ?? 0
            let worst = expected.indices.map { abs(expected[$0] - gradient[entry.offset + $0]) }.max() ?? .infinity
            #expect(worst <= 1e-4 * largest, "\(entry.name): \(worst) of \(largest)")
            #expect(largest > 0, "\(entry.name) has a gradient")
        }
    }

    /// The chain rule through W + s B A: dA = s Bᵀ dW and dB = s dW Aᵀ with the full gradient dW of the merged weights.
    @Test(arguments: AdapterFixture.names)
    func gradientsFollowFromThoseOfTheMergedWeights(name: String) throws {
        let fixture = try AdapterFixture(name)
        let merged = fixture.base.merging(fixture.adapters)
        let pass = Backpropagation(configuration: merged.configuration)
        pass.forward(fixture.batch, weights: PolicyWeights(merged), temperature: 1)
        let full = AlignedBuffer<Float>(count: merged.count)
        fixture.coefficients.withUnsafeBufferPointer {
            pass.backward(
                $0, transposed: TransposedWeights(merged), layout: merged.layout, into: full.pointer)
        }
        let own = gradient(fixture, fixture.batch, coefficients: fixture.coefficients)
        let rank = fixture.adapters.configuration.rank
        let scale = fixture.adapters.configuration.scale
        let values = fixture.adapters.pointer
        for site in fixture.adapters.layout.sites {
            let name = fixture.adapters.layout.entries[2 * site.index].name
            let entry = try #require(
                merged.layout[name.dropFirst("base_model.model.".count).dropLast("lora_A.weight".count) + "weight"])
            #expect(entry.shape == [site.outputs, site.inputs])
            func weight(_ row: Int, _ column: Int) -> Float {
                full.pointer[entry.offset + row * site.inputs + column]
            }
            var worst: Float = 0
            var largest: Float = 0
            for low in 0..<rank {
                for column in 0..<site.inputs {
                    let sum = (0..<site.outputs).reduce(Float(0)) {
                        $0 + values[site.b + $1 * rank + low] * weight($1, column)
                    }
                    worst = max(worst, abs(scale * sum - own[site.a + low * site.inputs + column]))
                    largest = max(largest, abs(scale * sum))
                }
                for row in 0..<site.outputs {
                    let sum = (0..<site.inputs).reduce(Float(0)) {
                        $0 + values[site.a + low * site.inputs + $1] * weight(row, $1)
                    }
                    worst = max(worst, abs(scale * sum - own[site.b + row * rank + low]))
                    largest = max(largest, abs(scale * sum))
                }
            }
            #expect(worst <= 2e-5 * largest, "\(name): \(worst) of \(largest)")
            #expect(largest > 0, "\(name) has a gradient")
        }
    }

    @Test(arguments: AdapterFixture.names)
    func gradientIsTheSlopeOfTheLoss(name: String) throws {
        let fixture = try AdapterFixture(name)
        var batch = TrainingBatch()
        batch.append(
            prompt: Array(fixture.tokens[0..<19]),
            completions: [Array(fixture.tokens[19..<30]), Array(fixture.tokens[5..<24])])
        let coefficients = batch.targets.indices.map { Float($0 % 7) * 0.3 - 0.8 }
        let gradient = gradient(fixture, batch, coefficients: coefficients)
        #expect(self.gradient(fixture, batch, coefficients: coefficients, storage: .recomputed) == gradient)
        let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        let moved = fixture.adapters.copy()
        func loss(step: Double) -> Double {
            for index in gradient.indices {
                moved.pointer[index] = fixture.adapters.pointer[index] + Float(step * Double(gradient[index]) / norm)
            }
            let pass = Backpropagation(configuration: fixture.base.configuration)
            pass.forward(batch, weights: PolicyWeights(fixture.base, adapters: moved), temperature: 1)
            return zip(coefficients, pass.logProbabilities).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let step = 2e-3
        let slope = (loss(step: step) - loss(step: -step)) / (2 * step)
        #expect(abs(slope - norm) <= 2e-3 * norm, "\(slope) against \(norm)")
    }

    /// Several completions' first tokens are targets of one row: the head has more rows than the layers.
    @Test(arguments: AdapterFixture.names)
    func moreTargetsThanRowsAddUp(name: String) throws {
        let fixture = try AdapterFixture(name)
        let tokens = Array(fixture.tokens[0..<5])
        func batch(shifts: Range<Int>) -> TrainingBatch {
            var batch = TrainingBatch()
            batch.append(tokens: tokens)
            for shift in shifts {
                for row in tokens.indices { batch.addTarget(row: row, token: fixture.tokens[row + shift]) }
            }
            return batch
        }
        let coefficients = tokens.indices.map { Float($0) - 1.5 }
        var sum = [Float](repeating: 0, count: fixture.adapters.count)
        for shift in 1..<7 {
            let part = gradient(fixture, batch(shifts: shift..<shift + 1), coefficients: coefficients)
            for index in sum.indices { sum[index] += part[index] }
        }
        let together = gradient(
            fixture, batch(shifts: 1..<7), coefficients: Array(repeating: coefficients, count: 6).flatMap { $0 })
        let largest = sum.map(abs).max() ?? 0
        #expect(largest > 0)
        #expect(sum.indices.allSatisfy { abs(sum[$0] - together[$0]) <= 1e-5 * largest })
        let sizes = BackwardSizes(
            fixture.base.configuration, rows: 5, targets: 30, positions: 5, rank: fixture.adapters.configuration.rank)
        #expect(sizes.lowRank == 30 * fixture.adapters.configuration.rank)
    }

    /// The buffers of a pass for adapters hold no gradient of a weight, and what they hold is stated.
    @Test(arguments: AdapterFixture.names)
    func memoryIsStatedExactly(name: String) throws {
        let fixture = try AdapterFixture(name)
        let shape = fixture.base.configuration
        let rank = fixture.adapters.configuration.rank
        let pass = Backpropagation(configuration: shape)
        pass.forward(fixture.batch, weights: PolicyWeights(fixture.base), temperature: 1)
        let gradient = AlignedBuffer<Float>(count: fixture.adapters.count)
        let panels = AdapterPanels(fixture.adapters)
        fixture.coefficients.withUnsafeBufferPointer {
            pass.backward(
                $0, transposed: TransposedWeights(fixture.base), adapters: panels, into: gradient.pointer)
        }
        let memory = Backpropagation.memory(configuration: shape, batch: fixture.batch, rank: rank)
        let stated = memory.first { $0.name == "adapters' rows" }?.byteCount
        #expect(stated == 4 * (pass.gradients.lowRank.count + pass.gradients.discarded.count))
        let workspace = WorkspaceSizes(
            shape, rows: fixture.batch.rowCount, targets: fixture.batch.targets.count,
            longest: fixture.batch.longestSequence, rank: rank)
        #expect([workspace] == pass.workspaces.idle.withLock { $0.map(\.sizes) })
        #expect(memory.first { $0.name == "workspaces" }?.byteCount == workspace.byteCount)
        #expect(pass.gradients.lowRank.count == fixture.batch.rowCount * rank)
        let configuration = fixture.adapters.configuration
        #expect(try AdapterPanels.byteCount(configuration, of: shape) == 4 * panels.panels.count)
        #expect(try Adapters.byteCount(configuration, of: shape) == 4 * fixture.adapters.count)
    }
}
