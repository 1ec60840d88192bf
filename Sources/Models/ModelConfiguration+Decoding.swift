extension ModelConfiguration: Decodable {
    /// Decodes config.json, absent fields by the defaults of transformers. Throws `DecodingError` with the field's path
    /// where a field is malformed or asks for what is not supported; sizes are left to `validate`. Fields that do not
    /// change the arithmetic are ignored.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let type = try container.required(String.self, .modelType)
        guard let architecture = Architecture(rawValue: type) else {
            let known = Architecture.allCases.map(\.rawValue).joined(separator: ", ")
            throw container.refusal(.modelType, "\"\(type)\" is not supported (\(known))")
        }
        let heads = try container.required(Int.self, .attentionHeadCount)
        let layers = try container.required(Int.self, .layerCount)
        try Self.refuseUnsupported(container, architecture, layers: layers)
        let maxPositions =
            try container.optional(Int.self, .maxPositions) ?? (architecture == .llama ? 2048 : 32_768)
        let rotation = try Self.rotation(container, maxPositions: maxPositions)
        // Qwen3's heads have 128 dimensions whatever the hidden size.
        let headDimension = try container.optional(Int.self, .headDimension) ?? (architecture == .qwen3 ? 128 : nil)
        // Qwen2 has its biases whatever the field says.
        let isBiased = try container.optional(Bool.self, .attentionBias) ?? false
        self.init(
            architecture: architecture,
            hiddenSize: try container.required(Int.self, .hiddenSize),
            intermediateSize: try container.required(Int.self, .intermediateSize),
            layerCount: layers,
            attentionHeadCount: heads,
            keyValueHeadCount: try container.optional(Int.self, .keyValueHeadCount) ?? heads,
            headDimension: headDimension,
            vocabularySize: try container.required(Int.self, .vocabularySize),
            maxPositions: maxPositions,
            normalizationEpsilon: try container.optional(Float.self, .normalizationEpsilon) ?? 1e-6,
            rotaryBase: rotation.base,
            rotaryScaling: rotation.scaling,
            attentionBias: isBiased && architecture != .qwen2 ? .all : nil,
            tiesEmbeddings: try container.optional(Bool.self, .tiesEmbeddings) ?? false,
            beginningToken: try container.optional(Int32.self, .beginningToken),
            endTokens: try Self.endTokens(container),
            paddingToken: try container.optional(Int32.self, .paddingToken))
    }

    /// One id, a list of ids, or none.
    private static func endTokens(_ container: KeyedDecodingContainer<Key>) throws -> [Int32] {
        if let token = try? container.optional(Int32.self, .endTokens) { return [token] }
        return try container.optional([Int32].self, .endTokens) ?? []
    }

    /// Throws for the first field that asks for arithmetic that the decoder does not do.
    private static func refuseUnsupported(
        _ container: KeyedDecodingContainer<Key>, _ architecture: Architecture, layers: Int
    ) throws {
        if let activation = try container.optional(String.self, .hiddenActivation), activation != "silu" {
            throw container.refusal(.hiddenActivation, "\"\(activation)\" is not supported (silu)")
        }
        for key in [Key.feedForwardBias, .usesMultimodalRotation] where try container.optional(Bool.self, key) ?? false
        {
            throw container.refusal(key, "true is not supported")
        }
        if architecture != .qwen3 {
            for key in [Key.usesQueryKeyNorm, .queryKeyNorm] where try container.optional(Bool.self, key) ?? false {
                throw container.refusal(key, "true is not supported for \(architecture.rawValue)")
            }
        }
        if try container.hasValue(.quantization) {
            throw container.refusal(.quantization, "quantized weights are not supported")
        }
        for key in [Key.finalLogitCap, .attentionLogitCap, .attentionMultiplier, .projectionClip]
        where try container.hasValue(key) {
            throw container.refusal(key, "only null is supported")
        }
        let factors = [
            Key.partialRotaryFactor, .logitScale, .logitsScaling, .embeddingMultiplier, .residualMultiplier,
        ]
        for key in factors where try container.optional(Double.self, key) ?? 1 != 1 {
            throw container.refusal(key, "only 1 is supported")
        }
        if try container.optional(Double.self, .attentionDropout) ?? 0 != 0 {
            throw container.refusal(.attentionDropout, "only 0 is supported")
        }
        try refuseSlidingWindow(container, architecture, layers: layers)
    }

    /// The window is in use where `layer_types` says so or, in its absence, above the first `max_window_layers` layers.
    private static func refuseSlidingWindow(
        _ container: KeyedDecodingContainer<Key>, _ architecture: Architecture, layers: Int
    ) throws {
        let types = try container.optional([String].self, .layerTypes)
        if let type = types?.first(where: { $0 != "full_attention" }) {
            throw container.refusal(.layerTypes, "\"\(type)\" is not supported (full_attention)")
        }
        guard types == nil, try container.optional(Bool.self, .usesSlidingWindow) ?? false else { return }
        // An absent window is 4096 by default; null is none.
        if container.contains(.slidingWindow), try container.decodeNil(forKey: .slidingWindow) { return }
        guard try container.optional(Int.self, .slidingLayerStart) ?? 28 < layers || architecture == .llama else {
            return
        }
        throw container.refusal(.usesSlidingWindow, "true is not supported")
    }
}
