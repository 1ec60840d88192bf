import Files
import Foundation
import Models
import Testing

struct ModelConfigurationTests {
    private static var llama: [String: Any] {
        [
            "model_type": "llama", "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5,
            "num_attention_heads": 8,
            "num_key_value_heads": 4, "vocab_size": 512, "max_position_embeddings": 512, "rms_norm_eps": 1e-5,
        ]
    }

    /// Reads llama's config.json with fields replaced; `NSNull` stands for null.
    private static func read(_ changes: [String: Any], without removed: [String] = []) throws -> ModelConfiguration {
        var fields = llama.merging(changes) { $1 }
        for name in removed { fields[name] = nil }
        return try ConfigurationFile.read(JSONSerialization.data(withJSONObject: fields))
    }

    @Test func fixturesAreRead() throws {
        func read(_ name: String) throws -> ModelConfiguration {
            try ModelConfiguration(contentsOf: HuggingFaceFixture.directory.appending(path: "\(name)/config.json"))
        }
        #expect(
            try read("llama-tiny")
                == ModelConfiguration(
                    hiddenSize: 48, intermediateSize: 80, layerCount: 2, attentionHeadCount: 4, keyValueHeadCount: 2,
                    headDimension: 12, vocabularySize: 61, maxPositions: 128, tiesEmbeddings: false, beginningToken: 1,
                    endTokens: [2]))
        #expect(
            try read("llama-tied")
                == ModelConfiguration(
                    hiddenSize: 64, intermediateSize: 80, layerCount: 2, attentionHeadCount: 2, keyValueHeadCount: 2,
                    headDimension: 32, vocabularySize: 53, maxPositions: 128, normalizationEpsilon: 1e-6,
                    rotaryBase: 500_000,
                    tiesEmbeddings: true, beginningToken: 1, endTokens: [2]))
        let qwen = try read("qwen2-tiny")
        #expect(qwen.hasAttentionBias)
        #expect(qwen.headDimension == 16)
        #expect(qwen.rotaryBase == 1_000_000)
        #expect(qwen.endTokens.isEmpty && qwen.beginningToken == nil)
    }

    @Test func fieldsHaveSeveralForms() throws {
        #expect(try Self.read(["rope_theta": 500_000]).rotaryBase == 500_000)
        #expect(try Self.read(["rope_parameters": ["rope_type": "default", "rope_theta": 2e5]]).rotaryBase == 200_000)
        #expect(try Self.read(["rope_scaling": NSNull()]).rotaryBase == 10_000)
        #expect(try Self.read(["eos_token_id": 7]).endTokens == [7])
        #expect(try Self.read(["eos_token_id": [7, 9]]).endTokens == [7, 9])
        #expect(try Self.read(["eos_token_id": NSNull()]).endTokens == [])
        #expect(try Self.read([:], without: ["num_key_value_heads"]).keyValueHeadCount == 8)
        #expect(try Self.read(["head_dim": 16]).headDimension == 16)
        #expect(try Self.read(["head_dim": NSNull()]).headDimension == 8)
        #expect(try Self.read([:]).normalizationEpsilon == 1e-5)
        #expect(try !Self.read([:]).tiesEmbeddings)
        let text = """
            {"model_type": "qwen2", "hidden_size": 64.0, "intermediate_size": 1e2, "num_hidden_layers": 2,
             "num_attention_heads": 4, "vocab_size": 9}
            """
        let exact = try ConfigurationFile.read(Data(text.utf8))
        #expect(exact.hiddenSize == 64 && exact.intermediateSize == 100)
    }

    @Test(arguments: [
        (#"{"model_type": "gpt2"}"#, "model_type"), (#"{"hidden_act": "gelu"}"#, "hidden_act"),
        (#"{"rope_parameters": {"rope_type": "llama3", "rope_theta": 1}}"#, "rope_parameters.factor"),
        (#"{"rope_scaling": {"type": "dynamic", "factor": 2}}"#, "rope_scaling.type"),
        (#"{"rope_scaling": {"rope_type": "longrope", "type": "default"}}"#, "rope_scaling.rope_type"),
        (#"{"rope_scaling": {"type": "linear"}}"#, "rope_scaling.factor"),
        (#"{"rope_scaling": {"type": "linear", "factor": 0}}"#, "rope_scaling.factor"),
        (#"{"rope_scaling": {"type": "linear", "factor": 1e-300}}"#, "rope_scaling.factor"),
        (
            #"{"rope_scaling": {"type": "yarn", "factor": 2, "attention_factor": 1e300}}"#,
            "rope_scaling.attention_factor"
        ),
        (#"{"rope_theta": 1e-300}"#, "rope_theta"),
        (#"{"rope_scaling": {"type": "yarn"}}"#, "rope_scaling.factor"),
        (#"{"rope_scaling": {"type": "yarn", "factor": 2, "beta_fast": 1, "beta_slow": 2}}"#, "rope_scaling.beta_fast"),
        (#"{"rope_scaling": {"type": "yarn", "factor": 2, "attention_factor": -1}}"#, "rope_scaling.attention_factor"),
        (#"{"rope_scaling": {"type": "yarn", "factor": 2, "truncate": 1}}"#, "rope_scaling.truncate"),
        (#"{"rope_scaling": {"type": "yarn", "factor": 2}, "rope_theta": 1}"#, "rope_scaling.rope_theta"),
        (
            #"{"rope_scaling": {"type": "llama3", "factor": 2, "low_freq_factor": 4, "high_freq_factor": 4}}"#,
            "rope_scaling.high_freq_factor"
        ),
        (
            #"{"rope_scaling": {"type": "yarn", "factor": 2, "original_max_position_embeddings": 0}}"#,
            "rope_scaling.original_max_position_embeddings"
        ),
        (#"{"rope_scaling": {"type": "default", "mrope_section": [16, 24, 24]}}"#, "rope_scaling.mrope_section"),
        (#"{"rope_parameters": {"full_attention": {"rope_theta": 7}}}"#, "rope_parameters.full_attention"),
        (#"{"rope_parameters": {"partial_rotary_factor": 0.25}}"#, "rope_parameters.partial_rotary_factor"),
        (#"{"mlp_bias": true}"#, "mlp_bias"), (#"{"attention_dropout": 0.1}"#, "attention_dropout"),
        (#"{"use_mrope": true}"#, "use_mrope"), (#"{"use_qk_norm": true}"#, "use_qk_norm"),
        (#"{"logits_scaling": 8.0}"#, "logits_scaling"), (#"{"residual_multiplier": 0.22}"#, "residual_multiplier"),
        (#"{"attn_logit_softcapping": 50.0}"#, "attn_logit_softcapping"), (#"{"clip_qkv": 8}"#, "clip_qkv"),
        (#"{"attention_bias": 1}"#, "attention_bias"),
        (#"{"model_type": "qwen2", "use_sliding_window": true, "max_window_layers": 4}"#, "use_sliding_window"),
        (#"{"model_type": "qwen3", "layer_types": ["full_attention", "sliding_attention"]}"#, "layer_types"),
        (#"{"partial_rotary_factor": 0.5}"#, "partial_rotary_factor"),
        (#"{"quantization_config": {"bits": 4}}"#, "quantization_config"),
        (#"{"layer_types": ["sliding_attention"]}"#, "layer_types"),
        (#"{"use_sliding_window": true}"#, "use_sliding_window"),
        (#"{"hidden_size": "64"}"#, "hidden_size"), (#"{"hidden_size": 64.5}"#, "hidden_size"),
        (#"{"hidden_size": 1e30}"#, "hidden_size"), (#"{"hidden_size": null}"#, "hidden_size"),
        (#"{"hidden_size": 0}"#, "hidden_size"), (#"{"hidden_size": -64}"#, "hidden_size"),
        (#"{"hidden_size": 9223372036854775807}"#, "hidden_size"), (#"{"num_hidden_layers": 0}"#, "num_hidden_layers"),
        (#"{"num_hidden_layers": 2000000000}"#, "num_hidden_layers"),
        (#"{"num_attention_heads": 0}"#, "num_attention_heads"),
        (#"{"num_key_value_heads": 3}"#, "num_key_value_heads"),
        (#"{"num_key_value_heads": 16}"#, "num_key_value_heads"),
        (#"{"head_dim": 7}"#, "head_dim"), (#"{"head_dim": 0}"#, "head_dim"), (#"{"vocab_size": 0}"#, "vocab_size"),
        (#"{"max_position_embeddings": 0}"#, "max_position_embeddings"), (#"{"rms_norm_eps": -1}"#, "rms_norm_eps"),
        (#"{"rope_theta": 0}"#, "rope_theta"), (#"{"bos_token_id": 512}"#, "bos_token_id"),
        (#"{"eos_token_id": [2, -1]}"#, "eos_token_id"), (#"{"eos_token_id": "2"}"#, "eos_token_id"),
        (#"{"hidden_size": 2147483520, "vocab_size": 2147483647, "intermediate_size": 2147483647}"#, "hidden_size"),
    ])
    func whatCannotBeIsRefusedByName(changes: String, field: String) throws {
        let changes = try #require(JSONSerialization.jsonObject(with: Data(changes.utf8)) as? [String: Any])
        let error = try #require(throws: FormatError.self) { try Self.read(changes) }
        #expect(error.file.hasSuffix("config.json"))
        #expect(error.field == field, "\(error)")
        #expect(!error.reason.isEmpty)
    }

    @Test(arguments: [
        (#"{"hidden_size": 64.5}"#, "is 64.5: it must be a whole number"),
        (
            #"{"bos_token_id": 99999999999}"#,
            "is 99999999999: it must be a whole number, -2147483648 to 2147483647"
        ),
        (
            #"{"eos_token_id": 5000000000}"#,
            "is 5000000000: it must be a whole number, -2147483648 to 2147483647"
        ),
        (#"{"rms_norm_eps": 1e60}"#, "is 1e+60: it must be within what the field holds"),
    ])
    func aNumberThatDoesNotFitIsNamed(changes: String, reason: String) throws {
        let changes = try #require(JSONSerialization.jsonObject(with: Data(changes.utf8)) as? [String: Any])
        let error = try #require(throws: FormatError.self) { try Self.read(changes) }
        #expect(error.reason.hasPrefix(reason), "\(error)")
    }

    @Test(arguments: [
        (#"{"eos_token_id": "x"}"#, "eos_token_id", #"expected an integer, found the string "x""#),
        (#"{"eos_token_id": [1, true]}"#, "eos_token_id[1]", "expected an integer, found true"),
        (#"{"hidden_size": []}"#, "hidden_size", "expected an integer, found a list"),
        (#"{"hidden_size": null}"#, "hidden_size", "the field is missing or null"),
        (#"{"rope_theta": "1"}"#, "rope_theta", #"expected a number, found the string "1""#),
        (#"{"hidden_act": 1}"#, "hidden_act", "expected a string, found the number 1"),
        (#"{"tie_word_embeddings": 1}"#, "tie_word_embeddings", "expected true or false, found the number 1"),
        (#"{"layer_types": [1]}"#, "layer_types[0]", "expected a string, found the number 1"),
        (#"{"rope_scaling": "linear"}"#, "rope_scaling", #"expected an object, found the string "linear""#),
        (
            #"{"rope_scaling": {"type": "linear", "factor": {}}}"#, "rope_scaling.factor",
            "expected a number, found an object"
        ),
    ])
    func aValueOfAnotherKindIsNamed(changes: String, field: String, reason: String) throws {
        let changes = try #require(JSONSerialization.jsonObject(with: Data(changes.utf8)) as? [String: Any])
        let error = try #require(throws: FormatError.self) { try Self.read(changes) }
        #expect(error.field == field && error.reason == reason, "\(error)")
    }

    @Test func missingFieldsAndFilesAreNamed() throws {
        for field in ["model_type", "hidden_size", "vocab_size", "num_attention_heads"] {
            let error = try #require(throws: FormatError.self) { try Self.read([:], without: [field]) }
            #expect(error.field == field)
        }
        #expect(throws: FormatError.self) { try ModelConfiguration(contentsOf: URL(filePath: "/absent/config.json")) }
        try HuggingFaceFixture.withDirectory { directory in
            let url = directory.appending(path: "config.json")
            for text in ["", "{", "[]", "3", "{\"model_type\": }"] {
                try Data(text.utf8).write(to: url)
                #expect(throws: FormatError.self) { try ModelConfiguration(contentsOf: url) }
            }
        }
    }

    @Test(arguments: ModelConfiguration.Architecture.allCases)
    func encodingAndDecodingGivesTheSame(architecture: ModelConfiguration.Architecture) throws {
        for endTokens: [Int32] in [[], [2], [2, 3]] {
            let configuration = ModelConfiguration(
                architecture: architecture, hiddenSize: 96, intermediateSize: 200, layerCount: 3, attentionHeadCount: 6,
                keyValueHeadCount: 2, headDimension: 24, vocabularySize: 300, maxPositions: 77,
                normalizationEpsilon: 3e-6,
                rotaryBase: 123_456.5, tiesEmbeddings: false, beginningToken: 1, endTokens: endTokens, paddingToken: 5)
            #expect(try ConfigurationFile.read(JSONEncoder().encode(configuration)) == configuration)
        }
    }
}
