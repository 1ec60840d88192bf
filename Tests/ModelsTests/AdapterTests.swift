import Foundation
import Testing
import Trajectories

@testable import Models

@Suite struct AdapterTests {
    /// W + (alpha / rank) · B · A, in double precision.
    @Test(arguments: AdapterFixture.names)
    func mergingAddsTheProduct(name: String) throws {
        let fixture = try AdapterFixture(name)
        let (base, adapters) = (fixture.base, fixture.adapters)
        let merged = base.merging(adapters)
        let rank = adapters.configuration.rank
        var expected = (0..<base.count).map { Double(base.pointer[$0]) }
        for entry in adapters.layout.entries where entry.name.hasSuffix("lora_B.weight") {
            let path = entry.name.dropFirst("base_model.model.".count).dropLast("lora_B.weight".count)
            let a = try #require(adapters.layout.entries.first { $0.name == "base_model.model.\(path)lora_A.weight" })
            let weight = try #require(base.layout["\(path)weight"])
            #expect(weight.shape == [entry.shape[0], a.shape[1]])
            for row in 0..<weight.shape[0] {
                for column in 0..<weight.shape[1] {
                    let sum = (0..<rank).reduce(0.0) {
                        $0 + Double(adapters.pointer[entry.offset + row * rank + $1])
                            * Double(adapters.pointer[a.offset + $1 * weight.shape[1] + column])
                    }
                    expected[weight.offset + row * weight.shape[1] + column] +=
                        adapters.configuration.alpha / Double(rank) * sum
                }
            }
        }
        #expect((0..<base.count).allSatisfy { abs(expected[$0] - Double(merged.pointer[$0])) <= 1e-6 })
        #expect((0..<base.count).contains { abs(merged.pointer[$0] - base.pointer[$0]) > 0.1 })
    }

    /// What is published with adapters, and what is exported, are the same bits.
    @Test(arguments: AdapterFixture.names)
    func publishedAndExportedWeightsAreTheSame(name: String) throws {
        let fixture = try AdapterFixture(name)
        let merged = fixture.base.merging(fixture.adapters)
        let together = PolicyWeights(fixture.base, adapters: fixture.adapters)
        #expect(together.bits == PolicyWeights(merged).bits)
        #expect(together.bits != PolicyWeights(fixture.base).bits)
        let store = PolicyStore(PolicyWeights(fixture.base))
        store.publish(fixture.base, adapters: fixture.adapters, version: PolicyVersion(1))
        #expect(store.current.bits == together.bits)
        let (one, other) = (
            TransposedWeights(fixture.base, adapters: fixture.adapters), TransposedWeights(merged)
        )
        #expect(memcmp(one.panels.pointer, other.panels.pointer, 4 * one.panels.count) == 0)
    }

    /// Generation and learner read the same merged panels, so that they agree to the bit.
    @Test(arguments: AdapterFixture.names)
    func inferenceIsTheTrainingPass(name: String) throws {
        let fixture = try AdapterFixture(name)
        let shape = fixture.base.configuration
        let weights = PolicyWeights(fixture.base, adapters: fixture.adapters)
        let pass = Backpropagation(configuration: shape)
        pass.forward(fixture.batch, weights: weights, temperature: 1)
        let decoder = DecoderInference(configuration: shape, rowCapacity: 8, logitCapacity: 1, pageCapacity: 8)
        var table = PageTable(maxPositions: 64)
        let isReserved = table.reserve(positions: fixture.tokens.count, from: decoder.pages)
        #expect(isReserved)
        for row in 0..<fixture.tokens.count - 1 {
            decoder.begin()
            let token = [fixture.tokens[row]]
            let index = token.withUnsafeBufferPointer {
                decoder.append(tokens: $0, firstPosition: row, table: table, wantsLogits: true)
            }
            decoder.forward(weights)
            let logits = decoder.logits(try #require(index))
            let training = pass.logits.pointer + row * shape.vocabularySize
            #expect(memcmp(logits, training, 4 * shape.vocabularySize) == 0, "position \(row)")
        }
    }

    @Test func freshAdaptersChangeNothingAndAreDrawnAsPeftDraws() throws {
        let base = try ModelFixture("llama-tiny").parameters
        let configuration = AdapterConfiguration(rank: 16, alpha: 32)
        let adapters = try Adapters.randomized(configuration, of: base.configuration, seed: 5)
        let merged = base.merging(adapters)
        #expect((0..<base.count).allSatisfy { merged.pointer[$0] == base.pointer[$0] })
        for entry in adapters.layout.entries {
            let values = (0..<entry.count).map { Double(adapters.pointer[entry.offset + $0]) }
            guard entry.name.hasSuffix("lora_A.weight") else {
                #expect(values.allSatisfy { $0 == 0 })
                continue
            }
            let bound = 1 / Double(entry.shape[1]).squareRoot()
            #expect(values.allSatisfy { abs($0) <= bound } && values.contains { abs($0) > 0.98 * bound })
            let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
            #expect(abs(variance / (bound * bound / 3) - 1) < 0.15, "\(entry.name)")
            #expect(abs(values.reduce(0, +) / Double(values.count)) < 0.1 * bound)
        }
        let again = try Adapters.randomized(configuration, of: base.configuration, seed: 5)
        #expect(memcmp(again.pointer, adapters.pointer, 4 * adapters.count) == 0)
        let other = try Adapters.randomized(configuration, of: base.configuration, seed: 6)
        #expect(memcmp(other.pointer, adapters.pointer, 4 * adapters.count) != 0)
    }

    @Test(arguments: AdapterFixture.names)
    func savingAndLoadingGivesTheSame(name: String) throws {
        let fixture = try AdapterFixture(name)
        try HuggingFaceFixture.withDirectory { directory in
            let target = directory.appending(path: "new/adapter")
            try fixture.adapters.save(to: target, base: "some/model")
            let loaded = try Adapters(contentsOf: target, of: fixture.base.configuration)
            #expect(loaded.configuration == fixture.adapters.configuration)
            #expect(memcmp(loaded.pointer, fixture.adapters.pointer, 4 * loaded.count) == 0)
            let text = try String(contentsOf: target.appending(path: "adapter_config.json"), encoding: .utf8)
            #expect(text.contains("\"base_model_name_or_path\" : \"some/model\""))
        }
    }
}
