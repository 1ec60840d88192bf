import Foundation

extension ModelConfiguration: Codable {
    private enum Key: String, CodingKey {
        case architectures
        case attentionBias = "attention_bias"
        case beginningToken = "bos_token_id"
        case dtype
        case endTokens = "eos_token_id"
        case headDimension = "head_dim"
        case hiddenActivation = "hidden_act"
        case hiddenSize = "hidden_size"
        case intermediateSize = "intermediate_size"
        case layerTypes = "layer_types"
        case maxPositions = "max_position_embeddings"
        case feedForwardBias = "mlp_bias"
        case modelType = "model_type"
        case attentionHeadCount = "num_attention_heads"
        case layerCount = "num_hidden_layers"
        case keyValueHeadCount = "num_key_value_heads"
        case paddingToken = "pad_token_id"
        case partialRotaryFactor = "partial_rotary_factor"
        case quantization = "quantization_config"
        case normalizationEpsilon = "rms_norm_eps"
        case rotaryParameters = "rope_parameters"
        case rotaryScaling = "rope_scaling"
        case rotaryBase = "rope_theta"
        case tiesEmbeddings = "tie_word_embeddings"
        case torchDtype = "torch_dtype"
        case usesSlidingWindow = "use_sliding_window"
        case vocabularySize = "vocab_size"
    }

    private enum RotaryKey: String, CodingKey {
        case base = "rope_theta"
        case type = "rope_type"
        case formerType = "type"
        case partialRotaryFactor = "partial_rotary_factor"
    }

    private typealias Container = KeyedDecodingContainer<Key>

    /// Decodes config.json, absent fields by the defaults of transformers. Throws `DecodingError` with the field's path
    /// where a field is malformed or asks for what is not supported; sizes are left to `validate`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let type = try container.required(String.self, .modelType)
        guard let architecture = Architecture(rawValue: type) else {
            throw Self.unsupported(container, .modelType, "\"\(type)\" is not supported (llama, qwen2)")
        }
        try Self.refuseUnsupported(container, architecture)
        let heads = try container.required(Int.self, .attentionHeadCount)
        self.init(
            architecture: architecture,
            hiddenSize: try container.required(Int.self, .hiddenSize),
            intermediateSize: try container.required(Int.self, .intermediateSize),
            layerCount: try container.required(Int.self, .layerCount),
            attentionHeadCount: heads,
            keyValueHeadCount: try container.optional(Int.self, .keyValueHeadCount) ?? heads,
            headDimension: try container.optional(Int.self, .headDimension),
            vocabularySize: try container.required(Int.self, .vocabularySize),
            maxPositions: try container.optional(Int.self, .maxPositions)
                ?? (architecture == .llama ? 2048 : 32_768),
            normalizationEpsilon: try container.optional(Float.self, .normalizationEpsilon) ?? 1e-6,
            rotaryBase: try Self.rotaryBase(container),
            tiesEmbeddings: try container.optional(Bool.self, .tiesEmbeddings) ?? false,
            beginningToken: try container.optional(Int32.self, .beginningToken),
            endTokens: try Self.endTokens(container),
            paddingToken: try container.optional(Int32.self, .paddingToken))
    }

    private static func unsupported(_ container: Container, _ key: Key, _ reason: String) -> DecodingError {
        .dataCorruptedError(forKey: key, in: container, debugDescription: reason)
    }

    private static func refuseUnsupported(_ container: Container, _ architecture: Architecture) throws {
        if let activation = try container.optional(String.self, .hiddenActivation), activation != "silu" {
            throw unsupported(container, .hiddenActivation, "\"\(activation)\" is not supported (silu)")
        }
        // Of Llama it would add a bias to the output projection too; Qwen2 has its biases whatever the field says.
        if architecture == .llama, try container.optional(Bool.self, .attentionBias) ?? false {
            throw unsupported(container, .attentionBias, "true is not supported for llama")
        }
        for key in [Key.feedForwardBias, .usesSlidingWindow]
        where try container.optional(Bool.self, key) ?? false {
            throw unsupported(container, key, "true is not supported")
        }
        if container.contains(.quantization), try !container.decodeNil(forKey: .quantization) {
            throw unsupported(container, .quantization, "quantized weights are not supported")
        }
        if try container.optional(Double.self, .partialRotaryFactor) ?? 1 != 1 {
            throw unsupported(container, .partialRotaryFactor, "only 1 is supported")
        }
        if let type = try container.optional([String].self, .layerTypes)?.first(where: {
            $0 != "full_attention"
        }) {
            throw unsupported(container, .layerTypes, "\"\(type)\" is not supported (full_attention)")
        }
    }

    private static func rotaryBase(_ container: Container) throws -> Double {
        var base = try container.optional(Double.self, .rotaryBase)
        for key in [Key.rotaryScaling, .rotaryParameters] where container.contains(key) {
            if try container.decodeNil(forKey: key) { continue }
            let parameters = try container.nestedContainer(keyedBy: RotaryKey.self, forKey: key)
            for typeKey in [RotaryKey.type, .formerType] {
                if let type = try parameters.optional(String.self, typeKey), type != "default" {
                    throw DecodingError.dataCorruptedError(
                        forKey: typeKey, in: parameters, debugDescription: "\"\(type)\" is not supported (default)")
                }
            }
            if try parameters.optional(Double.self, .partialRotaryFactor) ?? 1 != 1 {
                throw DecodingError.dataCorruptedError(
                    forKey: .partialRotaryFactor, in: parameters, debugDescription: "only 1 is supported")
            }
            base = try parameters.optional(Double.self, .base) ?? base
        }
        return base ?? 10_000
    }

    /// One id, a list of ids, or none.
    private static func endTokens(_ container: Container) throws -> [Int32] {
        if let token = try? container.optional(Int32.self, .endTokens) { return [token] }
        return try container.optional([Int32].self, .endTokens) ?? []
    }

    /// Encodes what transformers needs to load the model; the rotary base and the data type under their former and
    /// present names.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode([architecture == .llama ? "LlamaForCausalLM" : "Qwen2ForCausalLM"], forKey: .architectures)
        try container.encode(architecture, forKey: .modelType)
        try container.encode(hiddenSize, forKey: .hiddenSize)
        try container.encode(intermediateSize, forKey: .intermediateSize)
        try container.encode(layerCount, forKey: .layerCount)
        try container.encode(attentionHeadCount, forKey: .attentionHeadCount)
        try container.encode(keyValueHeadCount, forKey: .keyValueHeadCount)
        try container.encode(headDimension, forKey: .headDimension)
        try container.encode(vocabularySize, forKey: .vocabularySize)
        try container.encode(maxPositions, forKey: .maxPositions)
        try container.encode(normalizationEpsilon, forKey: .normalizationEpsilon)
        try container.encode(rotaryBase, forKey: .rotaryBase)
        var rotary = container.nestedContainer(keyedBy: RotaryKey.self, forKey: .rotaryParameters)
        try rotary.encode(rotaryBase, forKey: .base)
        try rotary.encode("default", forKey: .type)
        try container.encode(tiesEmbeddings, forKey: .tiesEmbeddings)
        try container.encode("silu", forKey: .hiddenActivation)
        if architecture == .llama {
            try container.encode(false, forKey: .attentionBias)
            try container.encode(false, forKey: .feedForwardBias)
        } else {
            try container.encode(false, forKey: .usesSlidingWindow)
        }
        try container.encode("float32", forKey: .dtype)
        try container.encode("float32", forKey: .torchDtype)
        try container.encode(beginningToken, forKey: .beginningToken)
        try container.encode(paddingToken, forKey: .paddingToken)
        switch endTokens.count {
        case 0: try container.encodeNil(forKey: .endTokens)
        case 1: try container.encode(endTokens[0], forKey: .endTokens)
        default: try container.encode(endTokens, forKey: .endTokens)
        }
    }
}

extension KeyedDecodingContainer {
    /// Nil where the field is absent or null. Foundation names no field when a number does not fit its type; this does.
    fileprivate func optional<Value: Decodable>(_ type: Value.Type, _ key: Key) throws -> Value? {
        do {
            return try decodeIfPresent(type, forKey: key)
        } catch let error as DecodingError {
            throw error
        } catch {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "the value does not fit the type \(type)")
        }
    }

    fileprivate func required<Value: Decodable>(_ type: Value.Type, _ key: Key) throws -> Value {
        guard let value = try optional(type, key) else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "the field is missing or null")
        }
        return value
    }
}
