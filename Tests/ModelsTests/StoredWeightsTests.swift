import Files
import Foundation
import Memory
import Synchronization
import Testing
import Trajectories

@testable import Models

/// Weights packed straight from files against those packed from all floats at once.
struct StoredWeightsTests {
    /// More rows than are packed at a time, in the vocabulary, a layer, and the part of a vocabulary that is packed by itself.
    private static let tall = ModelConfiguration(
        architecture: .qwen2, hiddenSize: 96, intermediateSize: 3001, layerCount: 2, attentionHeadCount: 6,
        keyValueHeadCount: 2, vocabularySize: 9001, maxPositions: 64)

    /// A loop on other threads and in another order.
    private static func backwards(tiles: Int, _ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            nonisolated(unsafe) let body = body
            DispatchQueue.concurrentPerform(iterations: tiles) { body(tiles - 1 - $0) }
        }
    }

    private static func expectEqual(
        _ directory: URL, _ precision: Precision, location: SourceLocation = #_sourceLocation
    ) throws {
        let stored = try HuggingFaceDirectory.open(directory, precision: precision)
        let expected = PolicyWeights(try stored.parameters(), version: PolicyVersion(3))
        for loop in [runInTurn, Self.backwards] {
            let weights = try stored.policyWeights(version: PolicyVersion(3), perform: loop)
            #expect(weights.bits == expected.bits, sourceLocation: location)
            #expect(weights.version == expected.version, sourceLocation: location)
            #expect(weights.configuration == expected.configuration, sourceLocation: location)
            #expect(
                stored.policyByteCount
                    == 4 * (weights.embeddingLanes.count + weights.plain.count + weights.panels.count),
                sourceLocation: location)
        }
    }

    @Test(arguments: HuggingFaceFixture.names, Precision.allCases)
    func fixturesArePackedAsTheirParametersAre(name: String, precision: Precision) throws {
        try Self.expectEqual(HuggingFaceFixture.directory.appending(path: name), precision)
    }

    /// Every file format, tied and not, whole and in shards.
    @Test(arguments: SafeTensors.DataType.allCases, [false, true])
    func tallMatricesArePackedInParts(type: SafeTensors.DataType, ties: Bool) throws {
        var shape = Self.tall
        shape.tiesEmbeddings = ties
        let parameters = try Parameters.randomized(configuration: shape, seed: 1)
        for limit in [HuggingFaceDirectory.defaultShardLimit, 1 << 19] {
            try HuggingFaceFixture.withDirectory { directory in
                try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: directory, as: type, shardLimit: limit)
                for precision in Precision.allCases { try Self.expectEqual(directory, precision) }
            }
        }
    }

    /// Only a file of bfloat16 has an embedding that bfloat16 holds.
    @Test(arguments: SafeTensors.DataType.allCases)
    func anEmbeddingIsHalvedWhereNothingIsLost(type: SafeTensors.DataType) throws {
        let parameters = try Parameters.randomized(configuration: Self.tall, seed: 1)
        try HuggingFaceFixture.withDirectory { directory in
            try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: directory, as: type)
            let weights = try HuggingFaceDirectory.open(directory).policyWeights()
            let values = Self.tall.vocabularySize * Self.tall.hiddenSize
            #expect(weights.embeddingLanes.count == (type == .bfloat16 ? values / 2 : values))
            // What is published over them are floats again.
            weights.write(parameters, version: PolicyVersion(1))
            #expect(weights.bits == PolicyWeights(parameters).bits)
        }
    }

    @Test(arguments: AdapterFixture.names, Precision.allCases)
    func adaptersAreMergedOnTheWay(name: String, precision: Precision) throws {
        let base = HuggingFaceFixture.directory.appending(path: AdapterFixture.bases[name] ?? "")
        let stored = try HuggingFaceDirectory.open(base, precision: precision)
        let adapters = try Adapters(contentsOf: AdapterFixture.directory(name), of: stored.configuration)
        let weights = try stored.policyWeights(adapters: adapters)
        #expect(weights.bits == PolicyWeights(try stored.parameters().merging(adapters)).bits)
        #expect(weights.bits != PolicyWeights(try stored.parameters()).bits)
    }

    /// Rows at a time across the borders of projections that have adapters and those that have none.
    @Test(arguments: [[.key, .up, .down], [.down, .head]] as [Set<Projection>], Precision.allCases)
    func adaptersOfTallMatricesAreMergedInParts(projections: Set<Projection>, precision: Precision) throws {
        var shape = Self.tall
        shape.tiesEmbeddings = false
        shape.precision = precision
        let parameters = try Parameters.randomized(configuration: shape, seed: 1)
        let adapters = try Adapters.randomized(
            AdapterConfiguration(rank: 3, alpha: 6, projections: projections), of: shape, seed: 2)
        for index in 0..<adapters.count { adapters.pointer[index] += Float(index % 7) * 0.01 }
        let merged = TransposedWeights(parameters.merging(adapters))
        let transposed = TransposedWeights(parameters, adapters: adapters)
        #expect(memcmp(transposed.panels.pointer, merged.panels.pointer, 4 * merged.panels.count) == 0)
        try HuggingFaceFixture.withDirectory { directory in
            try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: directory)
            let weights = try HuggingFaceDirectory.open(directory, precision: precision).policyWeights(
                adapters: adapters)
            #expect(weights.bits == PolicyWeights(parameters.merging(adapters)).bits)
        }
    }

    @Test(arguments: [false, true])
    func randomWeightsAreThoseOfRandomParameters(ties: Bool) throws {
        var shape = Self.tall
        shape.tiesEmbeddings = ties
        let weights = try PolicyWeights.randomized(configuration: shape, seed: 5, perform: Self.backwards)
        #expect(weights.bits == PolicyWeights(try Parameters.randomized(configuration: shape, seed: 5)).bits)
        #expect(weights.bits != PolicyWeights(try Parameters.randomized(configuration: shape, seed: 6)).bits)
    }

    /// The peak is that of what stays and some rows a thread, far below a model of floats, and below its largest matrix.
    @Test(arguments: Precision.allCases)
    func readingTakesLittleBesideWhatStays(precision: Precision) throws {
        var shape = Self.tall
        (shape.vocabularySize, shape.layerCount) = (40_000, 6)
        let parameters = try Parameters.randomized(configuration: shape, seed: 1)
        try HuggingFaceFixture.withDirectory { directory in
            try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: directory, as: .bfloat16)
            let stored = try HuggingFaceDirectory.open(directory, precision: precision)
            func allocated(_ body: () -> Void) -> Int {
                let before = Allocator.threadAllocatedBytes()
                body()
                return Int(Allocator.threadAllocatedBytes() - before)
            }
            // Of what a part allocates all is gone when the next begins.
            let largest = Mutex(0)
            let before = Allocator.threadAllocatedBytes()
            let weights = try stored.policyWeights { tiles, body in
                for tile in 0..<tiles {
                    let bytes = allocated { body(tile) }
                    largest.withLock { $0 = max($0, bytes) }
                }
            }
            let all = Int(Allocator.threadAllocatedBytes() - before)
            let parts = WeightPart.all(of: shape).count
            #expect(largest.withLock { $0 } < 3 << 20)
            #expect(4 * shape.vocabularySize * shape.hiddenSize > 4 * (3 << 20))
            let kept = stored.policyByteCount + 4 * weights.rotary.values.count
            #expect(all - kept < parts * (3 << 20))
            #expect(all > kept)
            withExtendedLifetime(weights) {}
        }
    }

    /// The first at fault in the order of the parts, whichever thread comes upon its own first.
    @Test func aValueThatIsNotFiniteIsNamed() throws {
        let parameters = try Parameters.randomized(configuration: Self.tall, seed: 1)
        let names = [
            "model.norm.weight", "model.embed_tokens.weight", "model.layers.0.mlp.gate_proj.weight",
            "model.layers.1.input_layernorm.weight",
        ]
        for (index, name) in names.enumerated().reversed() {
            let entry = try #require(parameters.layout[name])
            parameters.pointer[entry.offset + entry.count - 1] = index % 2 == 0 ? .nan : .infinity
            try HuggingFaceFixture.withDirectory { directory in
                try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: directory, as: .bfloat16)
                let stored = try HuggingFaceDirectory.open(directory)
                for loop in [runInTurn, Self.backwards] {
                    let error = #expect(throws: FormatError.self) { try stored.policyWeights(perform: loop) }
                    #expect(error?.field == name)
                    #expect(error?.file == directory.appending(path: "model.safetensors").path)
                }
            }
        }
    }

    @Test(arguments: ["llama-tiny", "llama3-scaled", "qwen2-yarn"])
    func aShorterRotaryTableHoldsTheSame(name: String) throws {
        let stored = try HuggingFaceDirectory.open(HuggingFaceFixture.directory.appending(path: name))
        let shape = stored.configuration
        let whole = RotaryTable(shape)
        let weights = try stored.policyWeights(positions: 5)
        #expect(weights.rotary.positions == 5)
        #expect(weights.configuration.maxPositions == 5)
        let count = 5 * shape.headDimension / 2
        #expect(weights.rotary.values.count == 2 * count)
        #expect(memcmp(weights.rotary.cosine, whole.cosine, 4 * count) == 0)
        #expect(memcmp(weights.rotary.sine, whole.sine, 4 * count) == 0)
        let more = RotaryTable(shape, positions: shape.maxPositions + 1)
        #expect(more.positions == shape.maxPositions)
    }
}
