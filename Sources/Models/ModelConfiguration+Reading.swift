import Files
import Foundation

extension ModelConfiguration {
    /// Reads and validates a config.json, absent fields by the defaults of transformers. Fields that do not change the arithmetic
    /// are ignored.
    ///
    /// Throws `FormatError` naming the file and the field that is malformed, asks for what is not supported, or makes the model
    /// impossible.
    public init(contentsOf url: URL) throws {
        let root = try JSONField(contentsOf: url, limit: InputFile.largestSettings)
        guard case .object = root.value else { throw root.failure("expected an object, found \(root.value.kind)") }
        try self.init(root)
        try validate(file: url.path)
    }

    /// The same of the file's text; sizes are left to `validate`.
    private init(_ root: JSONField) throws {
        let type = try root[Key.modelType].required { try $0.string() }
        guard let architecture = Architecture(rawValue: type) else {
            let known = Architecture.allCases.map(\.rawValue).joined(separator: ", ")
            throw root[Key.modelType].failure("\"\(type)\" is not supported (\(known))")
        }
        func size(_ key: Key) throws -> Int { try root[key].required { try $0.wholeNumber() } }
        func optionalSize(_ key: Key) throws -> Int? { try root[key].optional { try $0.wholeNumber() } }
        func token(_ key: Key) throws -> Int32? { try root[key].optional { try $0.wholeNumber() } }
        let heads = try size(.attentionHeadCount)
        let layers = try size(.layerCount)
        try Self.refuseUnsupported(root, architecture, layers: layers)
        let maxPositions = try optionalSize(.maxPositions) ?? (architecture == .llama ? 2048 : 32_768)
        let rotation = try Self.rotation(root, maxPositions: maxPositions)
        // Qwen3's heads have 128 dimensions whatever the hidden size.
        let headDimension = try optionalSize(.headDimension) ?? (architecture == .qwen3 ? 128 : nil)
        // Qwen2 has its biases whatever the field says.
        let isBiased = try root[Key.attentionBias].boolean(or: false)
        self.init(
            architecture: architecture,
            hiddenSize: try size(.hiddenSize),
            intermediateSize: try size(.intermediateSize),
            layerCount: layers,
            attentionHeadCount: heads,
            keyValueHeadCount: try optionalSize(.keyValueHeadCount) ?? heads,
            headDimension: headDimension,
            vocabularySize: try size(.vocabularySize),
            maxPositions: rotation.scaling.positions(atLeast: maxPositions),
            normalizationEpsilon: try root[Key.normalizationEpsilon].optional { try $0.single() } ?? 1e-6,
            rotaryBase: rotation.base,
            rotaryScaling: rotation.scaling,
            attentionBias: isBiased && architecture != .qwen2 ? .all : nil,
            tiesEmbeddings: try root[Key.tiesEmbeddings].boolean(or: false),
            beginningToken: try token(.beginningToken),
            endTokens: try root[Key.endTokens].oneOrSeveral().map { try $0.wholeNumber() },
            paddingToken: try token(.paddingToken))
    }

    /// Throws for the first field that asks for arithmetic that the decoder does not do.
    private static func refuseUnsupported(
        _ root: JSONField, _ architecture: Architecture, layers: Int
    ) throws {
        if let activation = try root[Key.hiddenActivation].optional({ try $0.string() }), activation != "silu" {
            throw root[Key.hiddenActivation].failure("\"\(activation)\" is not supported (silu)")
        }
        for key in [Key.feedForwardBias, .usesMultimodalRotation] where try root[key].boolean(or: false) {
            throw root[key].failure("true is not supported")
        }
        if architecture != .qwen3 {
            for key in [Key.usesQueryKeyNorm, .queryKeyNorm] where try root[key].boolean(or: false) {
                throw root[key].failure("true is not supported for \(architecture.rawValue)")
            }
        }
        if !root[Key.quantization].isNull {
            throw root[Key.quantization].failure("quantized weights are not supported")
        }
        for key in [Key.finalLogitCap, .attentionLogitCap, .attentionMultiplier, .projectionClip]
        where !root[key].isNull {
            throw root[key].failure("only null is supported")
        }
        let factors = [
            Key.partialRotaryFactor, .logitScale, .logitsScaling, .embeddingMultiplier, .residualMultiplier,
        ]
        for key in factors where try root[key].optional({ try $0.number() }) ?? 1 != 1 {
            throw root[key].failure("only 1 is supported")
        }
        if try root[Key.attentionDropout].optional({ try $0.number() }) ?? 0 != 0 {
            throw root[Key.attentionDropout].failure("only 0 is supported")
        }
        try refuseSlidingWindow(root, architecture, layers: layers)
    }

    /// The window is in use where `layer_types` says so or, in its absence, above the first `max_window_layers` layers.
    private static func refuseSlidingWindow(
        _ root: JSONField, _ architecture: Architecture, layers: Int
    ) throws {
        let types = try root[Key.layerTypes].optional { try $0.elements().map { try $0.string() } }
        if let type = types?.first(where: { $0 != "full_attention" }) {
            throw root[Key.layerTypes].failure("\"\(type)\" is not supported (full_attention)")
        }
        guard types == nil, try root[Key.usesSlidingWindow].boolean(or: false) else { return }
        // An absent window is 4096 by default; null is none.
        if case .null? = root.value[Key.slidingWindow.rawValue] { return }
        let start: Int = try root[Key.slidingLayerStart].optional { try $0.wholeNumber() } ?? 28
        guard start < layers || architecture == .llama else { return }
        throw root[Key.usesSlidingWindow].failure("true is not supported")
    }
}
