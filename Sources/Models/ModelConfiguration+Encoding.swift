extension ModelConfiguration: Encodable {
    private var className: String {
        switch architecture {
        case .llama: "LlamaForCausalLM"
        case .qwen2: "Qwen2ForCausalLM"
        case .qwen3: "Qwen3ForCausalLM"
        }
    }

    /// Encodes what transformers needs to load the model, the rotary embedding under its former and present names; the data
    /// type is the weights' own (see `StoredConfiguration`).
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode([className], forKey: .architectures)
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
        try encodeRotation(&container)
        try container.encode(tiesEmbeddings, forKey: .tiesEmbeddings)
        try container.encode("silu", forKey: .hiddenActivation)
        if architecture != .qwen2 {
            try container.encode(attentionBias == .all, forKey: .attentionBias)
        }
        if architecture == .llama {
            try container.encode(false, forKey: .feedForwardBias)
        } else {
            try container.encode(false, forKey: .usesSlidingWindow)
        }
        try container.encode(beginningToken, forKey: .beginningToken)
        try container.encode(paddingToken, forKey: .paddingToken)
        switch endTokens.count {
        case 0: try container.encodeNil(forKey: .endTokens)
        case 1: try container.encode(endTokens[0], forKey: .endTokens)
        default: try container.encode(endTokens, forKey: .endTokens)
        }
    }

    private func encodeRotation(_ container: inout KeyedEncodingContainer<Key>) throws {
        try container.encode(rotaryBase, forKey: .rotaryBase)
        var parameters = container.nestedContainer(keyedBy: RotaryKey.self, forKey: .rotaryParameters)
        try parameters.encode(rotaryBase, forKey: .base)
        try rotaryScaling.encode(&parameters)
        // Versions before 5 know this field alone, and only where there is a scaling.
        guard rotaryScaling != .none else { return }
        var former = container.nestedContainer(keyedBy: RotaryKey.self, forKey: .rotaryScaling)
        try rotaryScaling.encode(&former)
    }
}

extension RotaryScaling {
    fileprivate func encode(_ container: inout KeyedEncodingContainer<ModelConfiguration.RotaryKey>) throws {
        switch self {
        case .none: try container.encode("default", forKey: .type)
        case .linear(let factor):
            try container.encode("linear", forKey: .type)
            try container.encode(factor, forKey: .factor)
        case .llama3(let scaling):
            try container.encode("llama3", forKey: .type)
            try container.encode(scaling.factor, forKey: .factor)
            try container.encode(scaling.lowFrequencyFactor, forKey: .lowFrequencyFactor)
            try container.encode(scaling.highFrequencyFactor, forKey: .highFrequencyFactor)
            try container.encode(scaling.originalMaxPositions, forKey: .originalMaxPositions)
        case .yarn(let scaling):
            try container.encode("yarn", forKey: .type)
            try container.encode(scaling.factor, forKey: .factor)
            try container.encode(scaling.originalMaxPositions, forKey: .originalMaxPositions)
            try container.encodeIfPresent(scaling.attentionFactor, forKey: .attentionFactor)
            try container.encode(scaling.betaFast, forKey: .betaFast)
            try container.encode(scaling.betaSlow, forKey: .betaSlow)
            try container.encodeIfPresent(scaling.magnitudeScale, forKey: .magnitudeScale)
            try container.encodeIfPresent(scaling.magnitudeScaleAllDimensions, forKey: .magnitudeScaleAllDimensions)
            try container.encode(scaling.truncates, forKey: .truncates)
        }
    }
}

/// config.json as it stands beside weights of one data type.
struct StoredConfiguration: Encodable {
    let configuration: ModelConfiguration
    let type: SafeTensors.DataType

    func encode(to encoder: any Encoder) throws {
        try configuration.encode(to: encoder)
        let name =
            switch type {
            case .float32: "float32"
            case .float16: "float16"
            case .bfloat16: "bfloat16"
            }
        // The data type under its present and its former name.
        var container = encoder.container(keyedBy: ModelConfiguration.Key.self)
        try container.encode(name, forKey: .dtype)
        try container.encode(name, forKey: .torchDtype)
    }
}
