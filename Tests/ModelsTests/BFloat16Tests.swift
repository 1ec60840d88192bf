import Foundation
import Memory
import TestSupport
import Testing

@testable import Models

/// bfloat16: no further from single precision than PyTorch's bfloat16, over eight draws (`Tools/fixtures/bfloat16.py`).
@Suite struct BFloat16Tests {
    private struct Distances: Decodable {
        var logits: Double
        var gradients: [String: Double]
    }

    private static func distances(_ name: String) throws -> Distances {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/bfloat16.json")
        let all = try JSONDecoder().decode([String: Distances].self, from: Data(contentsOf: url))
        return try #require(all[name])
    }

    /// Root mean square of the difference over that of the reference.
    private func distance(_ values: some Collection<Float>, _ reference: some Collection<Float>) -> Double {
        let difference = zip(values, reference).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
        return (difference / reference.reduce(0.0) { $0 + pow(Double($1), 2) }).squareRoot()
    }

    /// Mean squares of the distances of one model in bfloat16 from itself in single precision.
    private struct SquareDistances {
        var logits = 0.0
        var gradients: [String: Double] = [:]
    }

    private static let draws: UInt64 = 8

    /// Tokens and coefficients as the script draws them.
    private func draw(_ seed: UInt64, vocabulary: Int) -> (tokens: [Int32], coefficients: [Float]) {
        var generator = SeededGenerator(seed: seed)
        let tokens = (0..<40).map { _ in Int32(generator.next() % UInt64(vocabulary)) }
        return (tokens, tokens.dropFirst().map { _ in Float(generator.next() >> 40) / 0x1p23 - 1 })
    }

    private func distances(_ fixture: ModelFixture, storage: ActivationStorage) -> SquareDistances {
        let single = fixture.parameters
        let rounded = single.copy(precision: .bfloat16)
        var result = SquareDistances()
        for seed in 0..<Self.draws {
            let (tokens, coefficients) = draw(seed, vocabulary: single.configuration.vocabularySize)
            let exact = outcome(single, tokens, coefficients, storage: storage)
            let ours = outcome(rounded, tokens, coefficients, storage: storage)
            result.logits += pow(distance(ours.logits, exact.logits), 2) / Double(Self.draws)
            for entry in single.layout.entries {
                let range = entry.offset..<entry.offset + entry.count
                let square = pow(distance(ours.gradient[range], exact.gradient[range]), 2)
                result.gradients[entry.name, default: 0] += square / Double(Self.draws)
            }
        }
        return result
    }

    /// The logits of all tokens but the last, and the gradient of -Σ coefficient · log-probability.
    private func outcome(
        _ parameters: Parameters, _ tokens: [Int32], _ coefficients: [Float], storage: ActivationStorage
    ) -> (logits: [Float], gradient: [Float]) {
        let pass = Backpropagation(configuration: parameters.configuration, storage: storage)
        pass.forward(TrainingBatch(predicting: tokens), weights: PolicyWeights(parameters), temperature: 1)
        let count = coefficients.count * parameters.configuration.vocabularySize
        let logits = (0..<count).map { pass.logits.pointer[$0] }
        let gradient = AlignedBuffer<Float>(count: parameters.layout.count)
        coefficients.map { -$0 }.withUnsafeBufferPointer {
            pass.backward(
                $0, transposed: TransposedWeights(parameters), layout: parameters.layout, into: gradient.pointer)
        }
        return (logits, Array(gradient.span))
    }

    @Test(arguments: ModelFixture.names, ActivationStorage.allCases)
    func isNoFurtherThanPyTorch(name: String, storage: ActivationStorage) throws {
        let fixture = try ModelFixture(name)
        let ours = distances(fixture, storage: storage)
        let theirs = try Self.distances(name)
        #expect(ours.logits.squareRoot() <= theirs.logits)
        #expect(ours.logits.squareRoot() > 0.0005, "the products round")
        #expect(Set(ours.gradients.keys) == Set(theirs.gradients.keys))
        for (tensor, square) in ours.gradients {
            let limit = try #require(theirs.gradients[tensor])
            #expect(square.squareRoot() <= limit, "\(tensor)")
        }
    }
}
