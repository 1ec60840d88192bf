/// The shape of a decoder: Hugging Face's config.json for `llama`, `qwen2` and `qwen3`.
public struct ModelConfiguration: Sendable, Hashable {
    public enum Architecture: String, Sendable, Codable, CaseIterable {
        case llama
        case qwen2
        case qwen3
    }

    /// Which projections of the attention add a bias.
    public enum AttentionBias: Sendable, Hashable {
        case none
        /// Queries, keys and values, as in Qwen2.
        case queryKeyValue
        /// The output projection too, as `attention_bias` asks of Llama and Qwen3.
        case all
    }

    public var architecture: Architecture
    /// Width of the residual stream.
    public var hiddenSize: Int
    /// Width inside the gated feed-forward network.
    public var intermediateSize: Int
    public var layerCount: Int
    public var attentionHeadCount: Int
    /// Heads of keys and of values; each serves `attentionHeadCount / keyValueHeadCount` query heads.
    public var keyValueHeadCount: Int
    public var headDimension: Int
    /// Rows of the embedding; at least the tokenizer's vocabulary.
    public var vocabularySize: Int
    /// The longest sequence.
    public var maxPositions: Int
    /// Added to the mean square in RMSNorm.
    public var normalizationEpsilon: Float
    /// θ of the rotary embedding: pair i turns by position · θ^(-2i / headDimension).
    public var rotaryBase: Double
    public var rotaryScaling: RotaryScaling
    public var attentionBias: AttentionBias
    /// Whether the output head is the embedding.
    public var tiesEmbeddings: Bool
    public var beginningToken: Int32?
    /// Tokens that end a completion.
    public var endTokens: [Int32]
    public var paddingToken: Int32?
    /// How a run computes; no part of config.json.
    public var precision = Precision.float32

    /// Not checked; `validate` does that. `headDimension` is `hiddenSize / attentionHeadCount` and `attentionBias` what the
    /// architecture has by default unless given.
    public init(
        architecture: Architecture = .llama, hiddenSize: Int, intermediateSize: Int, layerCount: Int,
        attentionHeadCount: Int, keyValueHeadCount: Int, headDimension: Int? = nil, vocabularySize: Int,
        maxPositions: Int, normalizationEpsilon: Float = 1e-5, rotaryBase: Double = 10_000,
        rotaryScaling: RotaryScaling = .none, attentionBias: AttentionBias? = nil, tiesEmbeddings: Bool = true,
        beginningToken: Int32? = nil, endTokens: [Int32] = [], paddingToken: Int32? = nil
    ) {
        self.architecture = architecture
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.layerCount = layerCount
        self.attentionHeadCount = attentionHeadCount
        self.keyValueHeadCount = keyValueHeadCount
        self.headDimension = headDimension ?? (attentionHeadCount > 0 ? hiddenSize / attentionHeadCount : 0)
        self.vocabularySize = vocabularySize
        self.maxPositions = maxPositions
        self.normalizationEpsilon = normalizationEpsilon
        self.rotaryBase = rotaryBase
        self.rotaryScaling = rotaryScaling
        self.attentionBias = attentionBias ?? (architecture == .qwen2 ? .queryKeyValue : .none)
        self.tiesEmbeddings = tiesEmbeddings
        self.beginningToken = beginningToken
        self.endTokens = endTokens
        self.paddingToken = paddingToken
    }

    /// Whether queries, keys and values have a bias.
    public var hasAttentionBias: Bool { attentionBias != .none }
    /// Whether each head's queries and keys are normalised before their rotation, as in Qwen3.
    public var normalizesHeads: Bool { architecture == .qwen3 }
}
