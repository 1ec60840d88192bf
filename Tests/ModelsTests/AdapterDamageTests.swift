import Files
import Foundation
import Testing

@testable import Models

/// Adapter directories that ask for what is not supported, or are not what they say.
struct AdapterDamageTests {
    private static func withCopy(_ body: (URL, ModelConfiguration) throws -> Void) throws {
        let shape = try ModelFixture("llama-tied").parameters.configuration
        try HuggingFaceFixture.withDirectory { directory in
            for file in ["adapter_config.json", "adapter_model.safetensors"] {
                try FileManager.default.copyItem(
                    at: AdapterFixture.directory("adapters-few").appending(path: file),
                    to: directory.appending(path: file))
            }
            try body(directory, shape)
        }
    }

    private static func expectRefusal(
        _ directory: URL, _ shape: ModelConfiguration, file: String, field: String,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let error = try #require(throws: FormatError.self, sourceLocation: location) {
            try Adapters(contentsOf: directory, of: shape)
        }
        #expect(error.file == directory.appending(path: file).path, sourceLocation: location)
        #expect(error.field == field, "\(error)", sourceLocation: location)
    }

    @Test(arguments: [
        (#""r": 0"#, "r"), (#""r": 100000"#, "r"), (#""r": "8""#, "r"), (#""r": null"#, "r"),
        (#""lora_alpha": -1"#, "lora_alpha"), (#""lora_alpha": null"#, "lora_alpha"),
        (#""peft_type": "LOHA""#, "peft_type"), (#""bias": "all""#, "bias"), (#""use_dora": true"#, "use_dora"),
        (#""use_rslora": true"#, "use_rslora"), (#""fan_in_fan_out": true"#, "fan_in_fan_out"),
        (#""modules_to_save": ["lm_head"]"#, "modules_to_save"), (#""rank_pattern": {"q_proj": 2}"#, "rank_pattern"),
        (#""alpha_pattern": {"q_proj": 2}"#, "alpha_pattern"), (#""layers_to_transform": [0]"#, "layers_to_transform"),
        (#""layers_to_transform": 1"#, "layers_to_transform"), (#""init_lora_weights": "pissa""#, "init_lora_weights"),
        (#""target_modules": ".*proj""#, "target_modules"), (#""target_modules": []"#, "target_modules"),
        (#""target_modules": ["q_proj", "embed_tokens"]"#, "target_modules[1]"),
        (#""target_modules": ["q_proj", "lm_head"]"#, "target_modules"),
        (#""target_modules": null"#, "target_modules"),
    ])
    func whatCannotBeIsRefusedByName(change: String, field: String) throws {
        try Self.withCopy { directory, shape in
            let url = directory.appending(path: "adapter_config.json")
            var fields = try #require(
                JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
            let changes = try #require(
                JSONSerialization.jsonObject(with: Data("{\(change)}".utf8)) as? [String: Any])
            fields.merge(changes) { $1 }
            try JSONSerialization.data(withJSONObject: fields).write(to: url)
            try Self.expectRefusal(directory, shape, file: "adapter_config.json", field: field)
        }
    }

    @Test func anUnusedDropoutAndAllLinearAreRead() throws {
        try Self.withCopy { directory, _ in
            let url = directory.appending(path: "adapter_config.json")
            let text =
                #"{"peft_type": "LORA", "r": 2, "lora_alpha": 4, "lora_dropout": 0.05, "target_modules": "all-linear"}"#
            try Data(text.utf8).write(to: url)
            #expect(try AdapterConfiguration(contentsOf: url) == AdapterConfiguration(rank: 2, alpha: 4))
        }
    }

    @Test func tensorsThatDoNotFitAreNamed() throws {
        let fixture = try AdapterFixture("adapters-few")
        let name = "base_model.model.model.layers.1.mlp.down_proj.lora_B.weight"
        try Self.withCopy { directory, shape in
            let url = directory.appending(path: "adapter_model.safetensors")
            let pointer = fixture.adapters.pointer
            let sources = fixture.adapters.layout.entries.map {
                SafeTensors.Source(name: $0.name, shape: $0.shape, values: pointer + $0.offset)
            }
            try SafeTensors.write(sources.filter { $0.name != name }, to: url)
            try Self.expectRefusal(directory, shape, file: "adapter_model.safetensors", field: name)
            let flat = SafeTensors.Source(name: name, shape: [192], values: pointer)
            try SafeTensors.write(sources.map { $0.name == name ? flat : $0 }, to: url)
            try Self.expectRefusal(directory, shape, file: "adapter_model.safetensors", field: name)
            let extra = SafeTensors.Source(name: "base_model.model.lm_head.lora_A.weight", shape: [1], values: pointer)
            try SafeTensors.write(sources + [extra], to: url)
            try Self.expectRefusal(directory, shape, file: "adapter_model.safetensors", field: extra.name)
            let place = try #require(fixture.adapters.layout.entries.first { $0.name == name })
            let value = pointer[place.offset]
            pointer[place.offset] = .nan
            try SafeTensors.write(sources, to: url)
            pointer[place.offset] = value
            try Self.expectRefusal(directory, shape, file: "adapter_model.safetensors", field: name)
            try FileManager.default.removeItem(at: url)
            try Self.expectRefusal(directory, shape, file: "adapter_model.safetensors", field: "")
            try Data("[]".utf8).write(to: directory.appending(path: "adapter_config.json"))
            try Self.expectRefusal(directory, shape, file: "adapter_config.json", field: "")
            try FileManager.default.removeItem(at: directory.appending(path: "adapter_config.json"))
            try Self.expectRefusal(directory, shape, file: "adapter_config.json", field: "")
        }
    }

    /// PEFT writes the whole head beside the head's adapter.
    @Test func aCopyOfTheHeadBesideItsAdapterIsPassedOver() throws {
        let fixture = try AdapterFixture("adapters-head")
        let shape = fixture.base.configuration
        try HuggingFaceFixture.withDirectory { directory in
            try fixture.adapters.save(to: directory)
            let url = directory.appending(path: "adapter_model.safetensors")
            let sources = fixture.adapters.layout.entries.map {
                SafeTensors.Source(name: $0.name, shape: $0.shape, values: fixture.adapters.pointer + $0.offset)
            }
            func add(_ name: String, _ shape: [Int]) throws {
                let copy = SafeTensors.Source(name: name, shape: shape, values: fixture.base.pointer)
                try SafeTensors.write(sources + [copy], to: url)
            }
            let name = "base_model.model.lm_head.base_layer.weight"
            try add(name, [shape.vocabularySize, shape.hiddenSize])
            let read = try Adapters(contentsOf: directory, of: shape)
            #expect(memcmp(read.pointer, fixture.adapters.pointer, 4 * read.count) == 0)
            try add(name, [shape.hiddenSize, shape.vocabularySize])
            try Self.expectRefusal(directory, shape, file: "adapter_model.safetensors", field: name)
            let other = "base_model.model.model.embed_tokens.weight"
            try add(other, [shape.vocabularySize, shape.hiddenSize])
            try Self.expectRefusal(directory, shape, file: "adapter_model.safetensors", field: other)
        }
    }

    @Test func adaptersBeyondAnyMemoryAreRefused() throws {
        let shape = ModelConfiguration(
            hiddenSize: 2, intermediateSize: Int(Int32.max), layerCount: 10_000, attentionHeadCount: 1,
            keyValueHeadCount: 1, vocabularySize: 10, maxPositions: 16)
        _ = try AdapterLayout(AdapterConfiguration(rank: 4, alpha: 1), of: shape)
        #expect(throws: FormatError.self) {
            try AdapterLayout(AdapterConfiguration(rank: 65_536, alpha: 1), of: shape)
        }
    }
}
