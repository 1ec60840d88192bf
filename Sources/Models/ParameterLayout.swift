/// Where every tensor of a model stands in one flat vector of floats.
///
/// Tensors are in the order of the forward pass, row-major, [outputs, inputs]. Queries, keys and values are adjacent,
/// so that they form one matrix [(attentionHeadCount + 2 · keyValueHeadCount) · headDimension, hiddenSize]; so are
/// their biases, and the gate and up projections, [2 · intermediateSize, hiddenSize]. Each such block starts at a
/// multiple of 16 floats, a cache line; the gaps stay 0.
public struct ParameterLayout: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        /// Hugging Face's name, for example `model.layers.0.mlp.up_proj.weight`.
        public let name: String
        /// Rows and columns, or the length of a vector.
        public let shape: [Int]
        /// In floats from the start of the vector.
        public let offset: Int
        /// Product of the shape.
        public let count: Int
    }

    /// Offsets, in floats, of one layer's tensors.
    public struct LayerOffsets: Sendable, Hashable {
        public internal(set) var attentionNorm = 0
        public internal(set) var queryKeyValue = 0
        /// Nil where the architecture has no such bias.
        public internal(set) var queryKeyValueBias: Int?
        /// [headDimension] each, or nil where heads are not normalised.
        public internal(set) var queryNorm: Int?
        public internal(set) var keyNorm: Int?
        public internal(set) var output = 0
        public internal(set) var outputBias: Int?
        public internal(set) var feedForwardNorm = 0
        public internal(set) var gateUp = 0
        public internal(set) var down = 0
    }

    public private(set) var entries: [Entry] = []
    /// Length of the vector in floats, gaps included.
    public private(set) var count = 0
    public private(set) var embedding = 0
    public private(set) var finalNorm = 0
    /// The same as `embedding` where they are tied.
    public private(set) var head = 0
    public private(set) var layers: [LayerOffsets] = []
    private var indices: [String: Int] = [:]

    private static let alignment = 16

    /// Throws what `ModelConfiguration.validate` throws.
    public init(_ configuration: ModelConfiguration) throws {
        try configuration.validate()
        let hidden = configuration.hiddenSize
        embedding = append([("model.embed_tokens.weight", [configuration.vocabularySize, hidden])])
        for layer in 0..<configuration.layerCount {
            layers.append(appendLayer(layer, configuration))
        }
        finalNorm = append([("model.norm.weight", [hidden])])
        head =
            configuration.tiesEmbeddings
            ? embedding : append([("lm_head.weight", [configuration.vocabularySize, hidden])])
        for (index, entry) in entries.enumerated() {
            indices[entry.name] = index
        }
    }

    private mutating func appendLayer(_ layer: Int, _ configuration: ModelConfiguration) -> LayerOffsets {
        let hidden = configuration.hiddenSize
        let intermediate = configuration.intermediateSize
        let query = configuration.attentionHeadCount * configuration.headDimension
        let keyValue = configuration.keyValueHeadCount * configuration.headDimension
        let prefix = "model.layers.\(layer)."
        var offsets = LayerOffsets()
        offsets.attentionNorm = append([(prefix + "input_layernorm.weight", [hidden])])
        let projections = [("q_proj", query), ("k_proj", keyValue), ("v_proj", keyValue)]
        offsets.queryKeyValue = append(projections.map { (prefix + "self_attn.\($0).weight", [$1, hidden]) })
        if configuration.hasAttentionBias {
            offsets.queryKeyValueBias = append(projections.map { (prefix + "self_attn.\($0).bias", [$1]) })
        }
        if configuration.normalizesHeads {
            offsets.queryNorm = append([(prefix + "self_attn.q_norm.weight", [configuration.headDimension])])
            offsets.keyNorm = append([(prefix + "self_attn.k_norm.weight", [configuration.headDimension])])
        }
        offsets.output = append([(prefix + "self_attn.o_proj.weight", [hidden, query])])
        if configuration.attentionBias == .all {
            offsets.outputBias = append([(prefix + "self_attn.o_proj.bias", [hidden])])
        }
        offsets.feedForwardNorm = append([(prefix + "post_attention_layernorm.weight", [hidden])])
        offsets.gateUp = append(
            ["gate_proj", "up_proj"].map { (prefix + "mlp.\($0).weight", [intermediate, hidden]) })
        offsets.down = append([(prefix + "mlp.down_proj.weight", [hidden, intermediate])])
        return offsets
    }

    /// Appends tensors without gaps between them and gives the offset of the first.
    private mutating func append(_ tensors: [(name: String, shape: [Int])]) -> Int {
        let start = count
        for (name, shape) in tensors {
            let size = shape.reduce(1, *)
            entries.append(Entry(name: name, shape: shape, offset: count, count: size))
            count += size
        }
        count = (count + Self.alignment - 1) / Self.alignment * Self.alignment
        return start
    }

    /// The entry of that name.
    public subscript(name: String) -> Entry? {
        indices[name].map { entries[$0] }
    }

    /// How many parameters there are, gaps excluded.
    public var parameterCount: Int { entries.reduce(0) { $0 + $1.count } }
}
