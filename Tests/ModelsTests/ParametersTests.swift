import Models
import Testing

struct ParametersTests {
    private static let configuration = ModelConfiguration(
        architecture: .qwen2, hiddenSize: 96, intermediateSize: 160, layerCount: 2, attentionHeadCount: 6,
        keyValueHeadCount: 3,
        vocabularySize: 251, maxPositions: 16, tiesEmbeddings: false)

    private static func values(_ parameters: Parameters, _ entry: ParameterLayout.Entry) -> [Float] {
        Array(UnsafeBufferPointer(start: parameters.pointer + entry.offset, count: entry.count))
    }

    @Test func newParametersAreZero() throws {
        let parameters = try Parameters(configuration: Self.configuration)
        #expect(parameters.count == parameters.layout.count)
        #expect(UnsafeBufferPointer(start: parameters.pointer, count: parameters.count).allSatisfy { $0 == 0 })
        #expect(UInt(bitPattern: parameters.pointer).isMultiple(of: 64))
    }

    @Test func randomWeightsHaveTheirDeviations() throws {
        let parameters = try Parameters.randomized(configuration: Self.configuration, seed: 3)
        for entry in parameters.layout.entries {
            let values = Self.values(parameters, entry)
            if entry.name.hasSuffix("norm.weight") {
                #expect(values.allSatisfy { $0 == 1 })
            } else if entry.name.hasSuffix(".bias") {
                #expect(values.allSatisfy { $0 == 0 })
            } else {
                let isResidual = entry.name.contains("o_proj") || entry.name.contains("down_proj")
                let expected = isResidual ? 0.01 : 0.02
                let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
                let variance = values.reduce(0) { $0 + Double($1 * $1) } / Double(values.count)
                #expect(abs(mean) < 5 * expected / Double(values.count).squareRoot(), "\(entry.name)")
                #expect(abs(variance.squareRoot() / expected - 1) < 0.05, "\(entry.name)")
            }
        }
        #expect(
            parameters.layout.entries.allSatisfy {
                Set(Self.values(parameters, $0)).count > ($0.shape.count == 2 ? 1000 : 0)
            })
    }

    @Test func randomWeightsDependOnTheSeedAlone() throws {
        let first = try Parameters.randomized(configuration: Self.configuration, seed: 3)
        let again = try Parameters.randomized(configuration: Self.configuration, seed: 3)
        let other = try Parameters.randomized(configuration: Self.configuration, seed: 4)
        var deeper = Self.configuration
        deeper.layerCount = 3
        let deep = try Parameters.randomized(configuration: deeper, seed: 3)
        for entry in first.layout.entries {
            #expect(Self.values(first, entry) == Self.values(again, entry))
            if entry.shape.count == 2 { #expect(Self.values(first, entry) != Self.values(other, entry)) }
        }
        let name = "model.layers.1.mlp.up_proj.weight"
        let shallow = try #require(first.layout[name])
        #expect(try Self.values(deep, #require(deep.layout[name])) == Self.values(first, shallow))
        let sibling = try #require(first.layout["model.layers.0.mlp.up_proj.weight"])
        #expect(Self.values(first, shallow) != Self.values(first, sibling))
    }

    @Test func copiesAreIndependent() throws {
        let parameters = try Parameters.randomized(configuration: Self.configuration, seed: 1)
        let copy = parameters.copy()
        #expect((0..<parameters.count).allSatisfy { copy.pointer[$0] == parameters.pointer[$0] })
        copy.pointer[0] += 1
        #expect(copy.pointer[0] != parameters.pointer[0])
    }
}
