extension ModelConfiguration {
    /// Fields of config.json.
    enum Key: String, CodingKey {
        case architectures
        case attentionBias = "attention_bias"
        case attentionDropout = "attention_dropout"
        case beginningToken = "bos_token_id"
        case dtype
        case endTokens = "eos_token_id"
        case headDimension = "head_dim"
        case hiddenActivation = "hidden_act"
        case hiddenSize = "hidden_size"
        case intermediateSize = "intermediate_size"
        case layerTypes = "layer_types"
        case maxPositions = "max_position_embeddings"
        case slidingLayerStart = "max_window_layers"
        case feedForwardBias = "mlp_bias"
        case modelType = "model_type"
        case attentionHeadCount = "num_attention_heads"
        case layerCount = "num_hidden_layers"
        case keyValueHeadCount = "num_key_value_heads"
        case originalMaxPositions = "original_max_position_embeddings"
        case paddingToken = "pad_token_id"
        case partialRotaryFactor = "partial_rotary_factor"
        case quantization = "quantization_config"
        case normalizationEpsilon = "rms_norm_eps"
        case rotaryParameters = "rope_parameters"
        case rotaryScaling = "rope_scaling"
        case rotaryBase = "rope_theta"
        case slidingWindow = "sliding_window"
        case tiesEmbeddings = "tie_word_embeddings"
        case torchDtype = "torch_dtype"
        case usesSlidingWindow = "use_sliding_window"
        case vocabularySize = "vocab_size"

        // Fields of relatives of these architectures that change the arithmetic; none is supported.
        case usesMultimodalRotation = "use_mrope"
        case usesQueryKeyNorm = "use_qk_norm"
        case queryKeyNorm = "qk_layernorm"
        case logitScale = "logit_scale"
        case logitsScaling = "logits_scaling"
        case embeddingMultiplier = "embedding_multiplier"
        case residualMultiplier = "residual_multiplier"
        case attentionMultiplier = "attention_multiplier"
        case finalLogitCap = "final_logit_softcapping"
        case attentionLogitCap = "attn_logit_softcapping"
        case projectionClip = "clip_qkv"
    }

    /// Fields of `rope_parameters` and `rope_scaling`.
    enum RotaryKey: String, CodingKey {
        case base = "rope_theta"
        case type = "rope_type"
        case formerType = "type"
        case partialRotaryFactor = "partial_rotary_factor"
        case factor
        case originalMaxPositions = "original_max_position_embeddings"
        case lowFrequencyFactor = "low_freq_factor"
        case highFrequencyFactor = "high_freq_factor"
        case attentionFactor = "attention_factor"
        case betaFast = "beta_fast"
        case betaSlow = "beta_slow"
        case magnitudeScale = "mscale"
        case magnitudeScaleAllDimensions = "mscale_all_dim"
        case truncates = "truncate"

        // A rotation for each kind of layer or of position; neither is supported.
        case fullAttention = "full_attention"
        case slidingAttention = "sliding_attention"
        case sections = "mrope_section"
    }
}
