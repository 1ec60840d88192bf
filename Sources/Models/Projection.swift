/// A linear layer of the model that an adapter may change, by its name in the model.
public enum Projection: String, Sendable, Hashable, Codable, CaseIterable {
    case query = "q_proj"
    case key = "k_proj"
    case value = "v_proj"
    case output = "o_proj"
    case gate = "gate_proj"
    case up = "up_proj"
    case down = "down_proj"
    /// Of models whose head is not the embedding; merged into that, an adapter would change both.
    case head = "lm_head"

    /// PEFT's name for all of the decoder's layers.
    public static let allLinear = "all-linear"

    /// The decoder's layers' own: all but the head.
    public static let ofLayers = allCases.filter { $0 != .head }

    /// The matrix of a layer that holds the weight; nil of the head.
    var block: ProjectionBlock? {
        switch self {
        case .query, .key, .value: .queryKeyValue
        case .output: .output
        case .gate, .up: .gateUp
        case .down: .down
        case .head: nil
        }
    }

    /// The name within a layer, for example `self_attn.q_proj`, or within the model.
    var path: String {
        switch block {
        case .queryKeyValue, .output: "self_attn.\(rawValue)"
        case .gateUp, .down: "mlp.\(rawValue)"
        case nil: rawValue
        }
    }

    /// Columns of the weight.
    func inputs(_ shape: ModelConfiguration) -> Int { block?.inputs(shape) ?? shape.hiddenSize }

    /// Rows of the weight.
    func outputs(_ shape: ModelConfiguration) -> Int {
        switch self {
        case .query: shape.queryWidth
        case .key, .value: shape.keyValueWidth
        case .output, .down: shape.hiddenSize
        case .gate, .up: shape.intermediateSize
        case .head: shape.vocabularySize
        }
    }

    /// The weight's first row within its block.
    func firstRow(_ shape: ModelConfiguration) -> Int {
        switch self {
        case .query, .output, .gate, .down, .head: 0
        case .key: shape.queryWidth
        case .value: shape.queryWidth + shape.keyValueWidth
        case .up: shape.intermediateSize
        }
    }
}

/// The matrices of a layer as products read them: projections of the same input are one matrix.
enum ProjectionBlock: CaseIterable {
    case queryKeyValue
    case output
    case gateUp
    case down

    func outputs(_ shape: ModelConfiguration) -> Int {
        switch self {
        case .queryKeyValue: shape.queryKeyValueWidth
        case .output, .down: shape.hiddenSize
        case .gateUp: 2 * shape.intermediateSize
        }
    }

    func inputs(_ shape: ModelConfiguration) -> Int {
        switch self {
        case .queryKeyValue, .gateUp: shape.hiddenSize
        case .output: shape.queryWidth
        case .down: shape.intermediateSize
        }
    }
}

extension ModelConfiguration {
    /// Whether the matrices have the same shapes, and the head is the embedding in both or in neither.
    func hasMatrices(of other: ModelConfiguration) -> Bool {
        layerCount == other.layerCount
            && ProjectionBlock.allCases.allSatisfy {
                $0.inputs(self) == $0.inputs(other) && $0.outputs(self) == $0.outputs(other)
            } && queryWidth == other.queryWidth && vocabularySize == other.vocabularySize
            && tiesEmbeddings == other.tiesEmbeddings
    }
}

extension ParameterLayout.LayerOffsets {
    /// Where the block stands.
    subscript(block: ProjectionBlock) -> Int {
        switch block {
        case .queryKeyValue: queryKeyValue
        case .output: output
        case .gateUp: gateUp
        case .down: down
        }
    }
}
