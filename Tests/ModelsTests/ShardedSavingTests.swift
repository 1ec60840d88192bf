import Foundation
import Testing

@testable import Models

struct ShardedSavingTests {
    private static func load(_ name: String) throws -> Parameters {
        try HuggingFaceDirectory.load(HuggingFaceFixture.directory.appending(path: name)).1
    }

    private static func weightFiles(_ directory: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path)
            .filter { $0.contains("safetensors") }.sorted()
    }

    @Test(arguments: HuggingFaceFixture.names)
    func shardsHoldEveryTensorOnceAndLoad(name: String) throws {
        let parameters = try Self.load(name)
        try HuggingFaceFixture.withDirectory { directory in
            let limit = 20_000
            try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: directory, shardLimit: limit)
            let files = try Self.weightFiles(directory)
            let shards = files.filter { $0 != "model.safetensors.index.json" }
            #expect(shards.count > 2 && files.count == shards.count + 1)
            #expect(shards[0] == String(format: "model-00001-of-%05d.safetensors", shards.count))
            var names: [String] = []
            for shard in shards {
                let file = try SafeTensors(url: directory.appending(path: shard))
                names += file.tensors.map(\.name)
                #expect(file.tensors.count == 1 || file.tensors.reduce(0) { $0 + $1.byteCount } <= limit)
                #expect(try file.metadata() == ["format": "pt"])
            }
            #expect(names == parameters.layout.entries.map(\.name))
            let index = try #require(
                JSONSerialization.jsonObject(
                    with: Data(contentsOf: directory.appending(path: "model.safetensors.index.json")))
                    as? [String: [String: Any]])
            #expect(index["metadata"]?["total_size"] as? Int == 4 * parameters.layout.parameterCount)
            #expect(index["weight_map"]?.count == names.count)
            let (configuration, loaded) = try HuggingFaceDirectory.load(directory)
            #expect(configuration == parameters.configuration)
            #expect(memcmp(loaded.pointer, parameters.pointer, 4 * parameters.count) == 0)
        }
    }

    /// Whatever an earlier save left, what is loaded is the last.
    @Test func aSaveReplacesTheOneBefore() throws {
        let parameters = try Self.load("qwen3-tied")
        let other = parameters.copy()
        for index in 0..<other.count { other.pointer[index] += 1 }
        try HuggingFaceFixture.withDirectory { directory in
            let bystander = directory.appending(path: "model-card.md")
            try Data().write(to: bystander)
            for (round, limit) in [Int.max, 20_000, 40_000, Int.max, 1].enumerated() {
                let source = round.isMultiple(of: 2) ? parameters : other
                try HuggingFaceDirectory.save(source, tokenizer: nil, to: directory, shardLimit: limit)
                let loaded = try HuggingFaceDirectory.load(directory).1
                #expect(memcmp(loaded.pointer, source.pointer, 4 * source.count) == 0)
                let files = try Self.weightFiles(directory)
                #expect((files == ["model.safetensors"]) == (limit == .max))
                #expect(limit != 1 || files.count == 1 + source.layout.entries.count)
            }
            #expect(FileManager.default.fileExists(atPath: bystander.path))
        }
    }

    @Test(arguments: [SafeTensors.DataType.bfloat16, .float16])
    func halvesAreSavedAndNamed(type: SafeTensors.DataType) throws {
        let parameters = try Self.load("qwen3-untied")
        try HuggingFaceFixture.withDirectory { directory in
            try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: directory, as: type, shardLimit: 30_000)
            let loaded = try HuggingFaceDirectory.load(directory).1
            for entry in parameters.layout.entries {
                for index in entry.offset..<entry.offset + entry.count {
                    let (value, rounded) = (parameters.pointer[index], loaded.pointer[index])
                    #expect(abs(rounded - value) <= abs(value) * 0x1p-8 + 0x1p-25)
                }
            }
            let text = try String(contentsOf: directory.appending(path: "config.json"), encoding: .utf8)
            #expect(text.contains("\"dtype\" : \"\(type == .bfloat16 ? "bfloat16" : "float16")\""))
        }
    }
}
