import Testing

@testable import Models

/// Hidden states whose squares are beyond a float do not pass as a uniform distribution.
@Suite struct OverflowTests {
    /// Weights that a norm's input goes by: of the residual stream, and of a head where heads are normalised.
    static let overflows =
        ModelFixture.names.map { ($0, "embed_tokens") } + [("qwen3-tied", "q_proj"), ("qwen3-untied", "k_proj")]

    @Test(arguments: overflows, Precision.allCases)
    func anOverflowEndsInNoNumbers(_ overflow: (model: String, weight: String), precision: Precision) throws {
        let fixture = try ModelFixture(overflow.model)
        let parameters = fixture.parameters.copy(precision: precision)
        for entry in parameters.layout.entries where entry.name.contains(overflow.weight) {
            for index in entry.offset..<entry.offset + entry.count { parameters.pointer[index] *= 1e22 }
        }
        let weights = PolicyWeights(parameters)
        let pass = Backpropagation(configuration: weights.configuration)
        pass.forward(fixture.batch, weights: weights, temperature: 1)
        let logProbabilities = Array(pass.logProbabilities)
        #expect(!logProbabilities.isEmpty && logProbabilities.allSatisfy { $0.isNaN })

        let decoder = DecoderInference(
            configuration: weights.configuration, rowCapacity: 64, logitCapacity: 8, pageCapacity: 32)
        var table = PageTable(maxPositions: 64)
        let hasRoom = table.reserve(positions: 8, from: decoder.pages)
        #expect(hasRoom)
        decoder.begin()
        let prompt = Array(fixture.tokens[..<8])
        let index = prompt.withUnsafeBufferPointer {
            decoder.append(tokens: $0, firstPosition: 0, table: table, wantsLogits: true)
        }
        decoder.forward(weights)
        let logits = UnsafeBufferPointer(
            start: decoder.logits(try #require(index)), count: weights.configuration.vocabularySize)
        #expect(logits.allSatisfy { $0.isNaN })
        table.release(to: decoder.pages)
    }
}
