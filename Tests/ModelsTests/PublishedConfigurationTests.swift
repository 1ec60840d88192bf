import Foundation
import Models
import Testing

/// The config.json of published models, as their authors wrote them.
struct PublishedConfigurationTests {
    private static func read(_ text: String) throws -> ModelConfiguration {
        try ConfigurationFile.read(Data(text.utf8))
    }

    /// A sliding window that is given and not used, and a base other than Qwen2's.
    @Test func deepSeekDistilledQwen() throws {
        let configuration = try Self.read(
            """
            {"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
             "eos_token_id": 151643, "hidden_act": "silu", "hidden_size": 1536, "initializer_range": 0.02,
             "intermediate_size": 8960, "max_position_embeddings": 131072, "max_window_layers": 21,
             "model_type": "qwen2", "num_attention_heads": 12, "num_hidden_layers": 28, "num_key_value_heads": 2,
             "rms_norm_eps": 1e-06, "rope_theta": 10000, "sliding_window": 4096, "tie_word_embeddings": false,
             "torch_dtype": "bfloat16", "transformers_version": "4.44.0", "use_cache": true, "use_mrope": false,
             "use_sliding_window": false, "vocab_size": 151936}
            """)
        #expect(configuration.attentionBias == .queryKeyValue)
        #expect(configuration.headDimension == 128 && configuration.rotaryBase == 10_000)
        #expect(!configuration.tiesEmbeddings && configuration.endTokens == [151_643])
        #expect(try ParameterLayout(configuration).parameterCount == 1_777_088_000)
    }

    @Test func qwen3() throws {
        let configuration = try Self.read(
            """
            {"architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
             "bos_token_id": 151643, "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu",
             "hidden_size": 1024, "initializer_range": 0.02, "intermediate_size": 3072,
             "max_position_embeddings": 40960, "max_window_layers": 28, "model_type": "qwen3",
             "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8, "rms_norm_eps": 1e-06,
             "rope_scaling": null, "rope_theta": 1000000, "sliding_window": null, "tie_word_embeddings": true,
             "torch_dtype": "bfloat16", "transformers_version": "4.51.0", "use_cache": true,
             "use_sliding_window": false, "vocab_size": 151936}
            """)
        #expect(configuration.normalizesHeads && !configuration.hasAttentionBias)
        #expect(configuration.queryWidth == 2048 && configuration.rotaryScaling == .none)
        // The published count, 0.6B: 596,049,920 with the embedding counted once.
        #expect(try ParameterLayout(configuration).parameterCount == 596_049_920)
    }

    @Test func llama32() throws {
        let configuration = try Self.read(
            """
            {"architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
             "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "head_dim": 64, "hidden_act": "silu",
             "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192,
             "max_position_embeddings": 131072, "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32,
             "num_hidden_layers": 16, "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
             "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                              "original_max_position_embeddings": 8192, "rope_type": "llama3"},
             "rope_theta": 500000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
             "transformers_version": "4.45.0.dev0", "use_cache": true, "vocab_size": 128256}
            """)
        #expect(
            configuration.rotaryScaling
                == .llama3(
                    .init(factor: 32, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 8192)))
        #expect(configuration.endTokens == [128_001, 128_008, 128_009])
        #expect(try ParameterLayout(configuration).parameterCount == 1_235_814_400)
    }

    /// A window above all layers, or none at all, is not in use.
    @Test(arguments: [
        #""use_sliding_window": true, "max_window_layers": 28"#, #""use_sliding_window": true"#,
        #""use_sliding_window": true, "max_window_layers": 2, "sliding_window": null"#,
        #""use_sliding_window": true, "max_window_layers": 2, "layer_types": ["full_attention"]"#,
        #""initializer_range": 0.5, "use_cache": "whatever", "logit_scale": 1.0, "unknown": {"a": []}"#,
    ])
    func whatChangesNothingIsIgnored(changes: String) throws {
        _ = try Self.read(
            """
            {"model_type": "qwen2", "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 28,
             "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 512, \(changes)}
            """)
    }

    @Test func biasesAreThoseOfTheFamily() throws {
        func bias(_ model: String, _ value: Bool) throws -> ModelConfiguration.AttentionBias {
            try Self.read(
                """
                {"model_type": "\(model)", "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 2,
                 "num_attention_heads": 8, "vocab_size": 512, "attention_bias": \(value)}
                """
            ).attentionBias
        }
        #expect(try bias("llama", true) == .all && bias("llama", false) == .none)
        #expect(try bias("qwen3", true) == .all && bias("qwen3", false) == .none)
        #expect(try bias("qwen2", true) == .queryKeyValue && bias("qwen2", false) == .queryKeyValue)
    }
}
