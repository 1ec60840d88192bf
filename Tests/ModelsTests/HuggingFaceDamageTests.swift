import Files
import Foundation
import Models
import Testing

/// Directories whose weights are not what config.json describes.
struct HuggingFaceDamageTests {
    private static func load(_ name: String) throws -> Parameters {
        try HuggingFaceDirectory.load(HuggingFaceFixture.directory.appending(path: name)).1
    }

    private static func sources(_ parameters: Parameters) -> [SafeTensors.Source] {
        parameters.layout.entries.map {
            SafeTensors.Source(name: $0.name, shape: $0.shape, values: parameters.pointer + $0.offset)
        }
    }

    private static func expectRefusal(
        _ directory: URL, file: String, field: String, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let error = try #require(throws: FormatError.self, sourceLocation: location) {
            try HuggingFaceDirectory.load(directory)
        }
        #expect(error.file == directory.appending(path: file).path, sourceLocation: location)
        #expect(error.field == field, "\(error)", sourceLocation: location)
    }

    private static func writeIndex(_ shards: [String: String], in directory: URL) throws {
        try JSONSerialization.data(withJSONObject: ["metadata": ["total_size": 1], "weight_map": shards])
            .write(to: directory.appending(path: "model.safetensors.index.json"))
    }

    @Test func aMissingAWrongAndAnExtraTensorAreNamed() throws {
        let parameters = try Self.load("llama-tiny")
        let name = "model.layers.1.self_attn.k_proj.weight"
        let entry = try #require(parameters.layout[name])
        let values = parameters.pointer + entry.offset
        try HuggingFaceFixture.withCopy(of: "llama-tiny") { directory in
            let weights = directory.appending(path: "model.safetensors")
            try SafeTensors.write(Self.sources(parameters).filter { $0.name != name }, to: weights)
            try Self.expectRefusal(directory, file: "model.safetensors", field: name)
            let transposed = SafeTensors.Source(name: name, shape: entry.shape.reversed(), values: values)
            try SafeTensors.write(Self.sources(parameters).map { $0.name == name ? transposed : $0 }, to: weights)
            try Self.expectRefusal(directory, file: "model.safetensors", field: name)
            let bias = SafeTensors.Source(name: "model.layers.0.self_attn.q_proj.bias", shape: [48], values: values)
            try SafeTensors.write(Self.sources(parameters) + [bias], to: weights)
            try Self.expectRefusal(directory, file: "model.safetensors", field: bias.name)
            let constant = SafeTensors.Source(
                name: "model.layers.0.self_attn.rotary_emb.inv_freq", shape: [6], values: values)
            try SafeTensors.write(Self.sources(parameters) + [constant], to: weights)
            _ = try HuggingFaceDirectory.load(directory)
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity], [SafeTensors.DataType.float32, .bfloat16])
    func aValueThatIsNotFiniteIsNamed(value: Float, type: SafeTensors.DataType) throws {
        let parameters = try Self.load("llama-tiny")
        for name in ["model.embed_tokens.weight", "model.layers.1.mlp.down_proj.weight", "model.norm.weight"] {
            let entry = try #require(parameters.layout[name])
            let broken = parameters.copy()
            broken.pointer[entry.offset + entry.count - 1] = value
            try HuggingFaceFixture.withCopy(of: "llama-tiny") { directory in
                let weights = directory.appending(path: "model.safetensors")
                try SafeTensors.write(Self.sources(broken), to: weights, as: type)
                try Self.expectRefusal(directory, file: "model.safetensors", field: name)
            }
        }
    }

    @Test func aTensorThatIsNotOfFloatsIsNamed() throws {
        try HuggingFaceFixture.withCopy(of: "llama-tiny") { directory in
            let weights = directory.appending(path: "model.safetensors")
            var bytes = try Data(contentsOf: weights)
            let name = Data(#""model.norm.weight":{"dtype":"F32""#.utf8)
            let range = try #require(bytes.range(of: name))
            bytes.replaceSubrange(range.upperBound - 4..<range.upperBound, with: Data("I32\"".utf8))
            try bytes.write(to: weights)
            try Self.expectRefusal(directory, file: "model.safetensors", field: "model.norm.weight")
        }
    }

    /// What stands outside the layers changes no result; one warning names it, and what is known is not worth one.
    @Test func tensorsOfNoUseAreNamedInOneWarning() throws {
        let parameters = try Self.load("llama-tiny")
        func extra(_ name: String) -> SafeTensors.Source {
            SafeTensors.Source(name: name, shape: [2], values: parameters.pointer)
        }
        try HuggingFaceFixture.withCopy(of: "llama-tiny") { directory in
            let weights = directory.appending(path: "model.safetensors")
            func warnings(_ names: [String]) throws -> [String] {
                try SafeTensors.write(Self.sources(parameters) + names.map(extra), to: weights)
                var warnings: [String] = []
                _ = try HuggingFaceDirectory.load(directory) { warnings.append($0) }
                return warnings
            }
            #expect(try warnings(["model.rotary_emb.inv_freq"]).isEmpty)
            let two = try warnings(["score.weight", "model.layers.2.mtp.bias", "model.rotary_emb.inv_freq"])
            #expect(
                two.count == 1
                    && two[0].hasSuffix(
                        "2 tensors that the model has no use for: model.layers.2.mtp.bias, score.weight")
            )
            #expect(two[0].hasPrefix(weights.path))
            let many = try warnings((0..<9).map { "vision.\($0)" })
            #expect(many.count == 1 && many[0].contains("9 tensors") && many[0].hasSuffix("vision.4, …"))
            for name in ["model.layers.1.self_attn.q_norm.weight", "model.layers.0.mlp.up_proj.bias"] {
                try SafeTensors.write(Self.sources(parameters) + [extra(name)], to: weights)
                try Self.expectRefusal(directory, file: "model.safetensors", field: name)
            }
        }
    }

    @Test func shardsAreReadAndChecked() throws {
        let parameters = try Self.load("qwen2-tiny")
        let sources = Self.sources(parameters)
        let (first, second) = (Array(sources[..<9]), Array(sources[9...]))
        try HuggingFaceFixture.withCopy(of: "qwen2-tiny") { directory in
            try FileManager.default.removeItem(at: directory.appending(path: "model.safetensors"))
            try SafeTensors.write(first, to: directory.appending(path: "one.safetensors"))
            try SafeTensors.write(second, to: directory.appending(path: "two.safetensors"))
            var map = Dictionary(
                uniqueKeysWithValues: sources.enumerated().map {
                    ($1.name, $0 < 9 ? "one.safetensors" : "two.safetensors")
                })
            try Self.writeIndex(map, in: directory)
            let loaded = try HuggingFaceDirectory.load(directory).1
            #expect(memcmp(loaded.pointer, parameters.pointer, 4 * parameters.count) == 0)

            map[sources[0].name] = "two.safetensors"
            try Self.writeIndex(map, in: directory)
            try Self.expectRefusal(directory, file: "two.safetensors", field: sources[0].name)
            map[sources[0].name] = nil
            try Self.writeIndex(map, in: directory)
            try Self.expectRefusal(directory, file: "one.safetensors", field: sources[0].name)
            for name in ["../one.safetensors", "", ".."] {
                map[sources[0].name] = name
                try Self.writeIndex(map, in: directory)
                try Self.expectRefusal(
                    directory, file: "model.safetensors.index.json", field: "weight_map.\(sources[0].name)")
            }
            map[sources[0].name] = "three.safetensors"
            try Self.writeIndex(map, in: directory)
            try Self.expectRefusal(directory, file: "three.safetensors", field: "")
        }
    }

    /// The configuration is refused before memory is taken for what it asks.
    @Test func aConfigurationLargerThanItsFileTakesNoMemory() throws {
        try HuggingFaceFixture.withCopy(of: "llama-tiny") { directory in
            let url = directory.appending(path: "config.json")
            let text = try String(contentsOf: url, encoding: .utf8)
            try text.replacingOccurrences(of: "\"vocab_size\": 61", with: "\"vocab_size\": 2147483647")
                .write(to: url, atomically: true, encoding: .utf8)
            try Self.expectRefusal(directory, file: "model.safetensors", field: "model.embed_tokens.weight")
        }
    }

    @Test func absentFilesAreNamed() throws {
        try HuggingFaceFixture.withCopy(of: "llama-tiny") { directory in
            try FileManager.default.removeItem(at: directory.appending(path: "model.safetensors"))
            try Self.expectRefusal(directory, file: "model.safetensors", field: "")
            try FileManager.default.removeItem(at: directory.appending(path: "config.json"))
            try Self.expectRefusal(directory, file: "config.json", field: "")
        }
    }
}
