import Files
import Foundation
import Memory
import Testing

@testable import Models

/// A head that is tied to the embedding and stored all the same: it must be the embedding.
struct TiedHeadTests {
    private static let headName = "lm_head.weight"
    private static let indexName = HuggingFaceDirectory.indexName

    /// Rows of a count that no power of two divides, more of them than are compared at a time.
    private static let shape = ModelConfiguration(
        hiddenSize: 48, intermediateSize: 64, layerCount: 1, attentionHeadCount: 4, keyValueHeadCount: 2,
        vocabularySize: 5003, maxPositions: 64, tiesEmbeddings: true)

    /// Weights that every format holds: small multiples of a power of two.
    private static func weights() throws -> Parameters {
        let parameters = try Parameters.randomized(configuration: shape, seed: 1)
        for index in 0..<parameters.count { parameters.pointer[index] = Float(index % 199 - 99) / 64 }
        return parameters
    }

    /// A model directory with a head in a file of its own.
    private static func withModel(
        _ type: SafeTensors.DataType, head: (values: [Float], shape: [Int], type: SafeTensors.DataType),
        _ body: (URL) throws -> Void
    ) throws {
        let parameters = try weights()
        try HuggingFaceFixture.withDirectory { directory in
            try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: directory, as: type)
            let (weights, shard) = (directory.appending(path: "model.safetensors"), "one.safetensors")
            try FileManager.default.moveItem(at: weights, to: directory.appending(path: shard))
            try head.values.withUnsafeBufferPointer { values in
                let source = SafeTensors.Source(
                    name: headName, shape: head.shape, values: try #require(values.baseAddress))
                try SafeTensors.write([source], to: directory.appending(path: "head.safetensors"), as: head.type)
            }
            var map = Dictionary(uniqueKeysWithValues: parameters.layout.entries.map { ($0.name, shard) })
            map[headName] = "head.safetensors"
            try JSONSerialization.data(withJSONObject: ["weight_map": map])
                .write(to: directory.appending(path: indexName))
            try body(directory)
        }
    }

    private static func embedding() throws -> [Float] {
        let parameters = try weights()
        let entry = try #require(parameters.layout["model.embed_tokens.weight"])
        return Array(UnsafeBufferPointer(start: parameters.pointer + entry.offset, count: entry.count))
    }

    private static func expectRefusal(_ directory: URL, _ reason: String) throws {
        let error = try #require(throws: FormatError.self) { try HuggingFaceDirectory.open(directory) }
        #expect(error.file == directory.appending(path: "head.safetensors").path)
        #expect(error.field == headName)
        #expect(error.reason.contains(reason), "\(error)")
    }

    @Test(arguments: SafeTensors.DataType.allCases, SafeTensors.DataType.allCases)
    func itIsComparedWhateverItsFormat(type: SafeTensors.DataType, headType: SafeTensors.DataType) throws {
        let embedding = try Self.embedding()
        let shape = [Self.shape.vocabularySize, Self.shape.hiddenSize]
        try Self.withModel(type, head: (embedding, shape, headType)) { directory in
            _ = try HuggingFaceDirectory.open(directory)
        }
        // The first value, the last, and one in between.
        for place in [0, embedding.count / 2, embedding.count - 1] {
            var other = embedding
            other[place] += 1
            try Self.withModel(type, head: (other, shape, headType)) { directory in
                try Self.expectRefusal(directory, "differs from model.embed_tokens.weight")
            }
        }
    }

    /// Also one of as many values, which would be equal one by one.
    @Test(arguments: SafeTensors.DataType.allCases)
    func oneOfAnotherShapeIsRefused(headType: SafeTensors.DataType) throws {
        let embedding = try Self.embedding()
        let (rows, width) = (Self.shape.vocabularySize, Self.shape.hiddenSize)
        for (values, shape) in [
            (embedding, [width, rows]), (embedding, [rows * width]), (Array(embedding.prefix(width)), [1, width]),
        ] {
            try Self.withModel(.float32, head: (values, shape, headType)) { directory in
                try Self.expectRefusal(directory, "the shape is \(shape)")
            }
        }
    }

    /// A few values of each at a time, whatever the formats.
    @Test(arguments: SafeTensors.DataType.allCases)
    func comparingTakesLittleMemory(headType: SafeTensors.DataType) throws {
        let embedding = try Self.embedding()
        let shape = [Self.shape.vocabularySize, Self.shape.hiddenSize]
        try Self.withModel(.bfloat16, head: (embedding, shape, headType)) { directory in
            let before = Allocator.threadAllocatedBytes()
            _ = try HuggingFaceDirectory.open(directory)
            #expect(Int(Allocator.threadAllocatedBytes() - before) < 4 * embedding.count / 2)
        }
    }
}
