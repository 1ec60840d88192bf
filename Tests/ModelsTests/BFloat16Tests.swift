import Foundation
import Memory
import Testing

@testable import Models

/// bfloat16 products: no further from single precision than PyTorch's bfloat16 (`Tools/fixtures/bfloat16.py`).
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

    private func rounding(_ fixture: ModelFixture) -> Parameters {
        fixture.parameters.copy(precision: .bfloat16)
    }

    @Test(arguments: ModelFixture.names)
    func logitsAreNoFurtherThanPyTorch(name: String) throws {
        let fixture = try ModelFixture(name)
        let parameters = rounding(fixture)
        let pass = Backpropagation(configuration: parameters.configuration)
        pass.forward(fixture.batch, weights: PolicyWeights(parameters), temperature: 1)
        let count = (fixture.tokens.count - 1) * parameters.configuration.vocabularySize
        let ours = distance((0..<count).map { pass.logits.pointer[$0] }, fixture.logits.prefix(count))
        let theirs = try Self.distances(name).logits
        #expect(ours <= theirs, "\(ours), PyTorch \(theirs)")
        #expect(ours > 0.0005, "the products round")
    }

    @Test(arguments: ModelFixture.names, ActivationStorage.allCases)
    func gradientsAreNoFurtherThanPyTorch(name: String, storage: ActivationStorage) throws {
        let fixture = try ModelFixture(name)
        let parameters = rounding(fixture)
        let pass = Backpropagation(configuration: parameters.configuration, storage: storage)
        pass.forward(fixture.batch, weights: PolicyWeights(parameters), temperature: 1)
        let gradient = AlignedBuffer<Float>(count: parameters.layout.count)
        let coefficients = fixture.coefficients.map { -$0 }
        // The gradient of -loss is that of the log-probabilities with the coefficients' sign turned.
        coefficients.withUnsafeBufferPointer {
            pass.backward(
                $0, transposed: TransposedWeights(parameters), layout: parameters.layout, into: gradient.pointer)
        }
        let theirs = try Self.distances(name).gradients
        for entry in parameters.layout.entries {
            let expected = try fixture.gradient(of: entry.name)
            let values = (0..<expected.count).map { gradient.pointer[entry.offset + $0] }
            let ours = distance(values, expected)
            let limit = try #require(theirs[entry.name])
            #expect(ours <= limit, "\(entry.name): \(ours), PyTorch \(limit)")
        }
    }
}
