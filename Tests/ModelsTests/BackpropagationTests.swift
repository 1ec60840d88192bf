import Kernels
import Memory
import Testing
import Trajectories

@testable import Models

@Suite struct BackpropagationTests {
    @Test(arguments: ModelFixture.names)
    func logitsAndLossAreThoseOfPyTorch(name: String) throws {
        let fixture = try ModelFixture(name)
        let pass = Backpropagation(configuration: fixture.parameters.configuration)
        pass.forward(fixture.batch, weights: PolicyWeights(fixture.parameters), temperature: 1)
        let count = (fixture.tokens.count - 1) * fixture.parameters.configuration.vocabularySize
        let worst = (0..<count).map { abs(pass.logits.pointer[$0] - fixture.logits[$0]) }.max() ?? .infinity
        #expect(worst <= 1e-4)
        let loss = zip(fixture.coefficients, pass.logProbabilities).reduce(0) { $0 - Double($1.0) * Double($1.1) }
        #expect(abs(loss - Double(fixture.loss)) <= 1e-4 * abs(Double(fixture.loss)))
    }

    @Test func releasedWeightsAreFreed() throws {
        let fixture = try ModelFixture(ModelFixture.names[0])
        let pass = Backpropagation(configuration: fixture.parameters.configuration)
        weak var last: PolicyWeights?
        do {
            let weights = PolicyWeights(fixture.parameters)
            last = weights
            let transposed = TransposedWeights(fixture.parameters)
            let gradient = AlignedBuffer<Float>(count: fixture.parameters.count)
            pass.forward(fixture.batch, weights: weights, temperature: 1)
            fixture.coefficients.withUnsafeBufferPointer {
                pass.backward(
                    $0, transposed: transposed, layout: fixture.parameters.layout, into: gradient.pointer)
            }
        }
        #expect(last != nil)
        pass.releaseWeights()
        #expect(last == nil)
    }

    @Test(arguments: ModelFixture.names)
    func everyGradientIsThatOfPyTorch(name: String) throws {
        let fixture = try ModelFixture(name)
        let gradient = gradient(
            fixture.parameters, fixture.batch, coefficients: fixture.coefficients.map { -$0 })
        for entry in fixture.parameters.layout.entries {
            let expected = try fixture.gradient(of: entry.name)
            let largest = expected.map(abs).max() ?? 0
            let worst = expected.indices.map { abs(expected[$0] - gradient[entry.offset + $0]) }.max() ?? .infinity
            #expect(worst <= 1e-4 * largest, "\(entry.name): \(worst) of \(largest)")
            #expect(largest > 0, "\(entry.name) has a gradient")
        }
    }

    @Test(arguments: ModelFixture.names)
    func gradientIsTheSlopeOfTheLoss(name: String) throws {
        let fixture = try ModelFixture(name)
        let batch = sharedPromptBatch(fixture)
        let coefficients = batch.targets.indices.map { Float($0 % 7) * 0.3 - 0.8 }
        let gradient = gradient(fixture.parameters, batch, coefficients: coefficients)
        // Along a direction that touches every parameter the slope is well above the rounding of a difference.
        let parameters = fixture.parameters.copy()
        let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        func loss(step: Double) -> Double {
            for index in gradient.indices {
                parameters.pointer[index] =
                    fixture.parameters.pointer[index] + Float(step * Double(gradient[index]) / norm)
            }
            let pass = Backpropagation(configuration: parameters.configuration)
            pass.forward(batch, weights: PolicyWeights(parameters), temperature: 1)
            return zip(coefficients, pass.logProbabilities).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        let step = 2e-3
        let slope = (loss(step: step) - loss(step: -step)) / (2 * step)
        #expect(abs(slope - norm) <= 2e-3 * norm, "\(slope) against \(norm)")
    }

    /// A prompt computed once for its completions gives the log-probabilities, bit for bit, and the gradient that the prompt
    /// repeated for each gives.
    @Test(arguments: ModelFixture.names, [1, 15, 16, 17])
    func aSharedPromptIsARepeatedPrompt(name: String, promptLength: Int) throws {
        let fixture = try ModelFixture(name)
        let prompt = Array(fixture.tokens.prefix(promptLength))
        let completions = [fixture.tokens[17...].map { $0 }, fixture.tokens[20..<29].map { $0 }, [fixture.tokens[3]]]
        var shared = TrainingBatch()
        shared.append(prompt: prompt, completions: completions)
        var repeated = TrainingBatch()
        for completion in completions {
            repeated.append(prompt: prompt, completions: [completion])
        }
        #expect(shared.rowCount == repeated.rowCount - 2 * promptLength)
        let weights = PolicyWeights(fixture.parameters)
        #expect(
            logProbabilities(weights, shared).map(\.bitPattern) == logProbabilities(weights, repeated).map(\.bitPattern)
        )
        let coefficients = shared.targets.indices.map { Float($0 % 5) - 1.5 }
        let first = gradient(fixture.parameters, shared, coefficients: coefficients)
        let second = gradient(fixture.parameters, repeated, coefficients: coefficients)
        let largest = second.map(abs).max() ?? 0
        #expect(zip(first, second).allSatisfy { abs($0 - $1) <= 2e-5 * largest })
    }

    @Test func aLargerBatchAfterASmallerOneChangesNothing() throws {
        let fixture = try ModelFixture("qwen2-tiny")
        let weights = PolicyWeights(fixture.parameters)
        var small = TrainingBatch()
        small.append(prompt: [1, 2], completions: [[3, 4]])
        let pass = Backpropagation(configuration: fixture.parameters.configuration)
        pass.forward(small, weights: weights, temperature: 0.7)
        let before = Array(pass.logProbabilities)
        pass.forward(fixture.batch, weights: weights, temperature: 0.7)
        pass.forward(small, weights: weights, temperature: 0.7)
        #expect(before == Array(pass.logProbabilities))
    }

    private func sharedPromptBatch(_ fixture: ModelFixture) -> TrainingBatch {
        var batch = TrainingBatch()
        batch.append(
            prompt: Array(fixture.tokens[0..<19]),
            completions: [Array(fixture.tokens[19..<30]), Array(fixture.tokens[5..<24]), Array(fixture.tokens[30...])])
        return batch
    }

    private func logProbabilities(_ weights: PolicyWeights, _ batch: TrainingBatch) -> [Float] {
        let pass = Backpropagation(configuration: weights.configuration)
        pass.forward(batch, weights: weights, temperature: 0.9)
        return Array(pass.logProbabilities)
    }

    private func gradient(_ parameters: Parameters, _ batch: TrainingBatch, coefficients: [Float]) -> [Float] {
        let pass = Backpropagation(configuration: parameters.configuration)
        pass.forward(batch, weights: PolicyWeights(parameters), temperature: 1)
        let gradient = AlignedBuffer<Float>(count: parameters.layout.count)
        coefficients.withUnsafeBufferPointer {
            pass.backward(
                $0, transposed: TransposedWeights(parameters), layout: parameters.layout, into: gradient.pointer)
        }
        return (0..<gradient.count).map { gradient.pointer[$0] }
    }
}
