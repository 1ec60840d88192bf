extension ModelConfiguration {
    /// Base and scaling of the rotary embedding, wherever config.json has them.
    ///
    /// As in transformers, `rope_scaling` (the former field) goes before `rope_parameters`, a base within it before the one
    /// at the top level, and a top-level `original_max_position_embeddings` before the one within.
    static func rotation(
        _ container: KeyedDecodingContainer<Key>, maxPositions: Int
    ) throws -> (base: Double, scaling: RotaryScaling) {
        let base = try container.optional(Double.self, .rotaryBase) ?? 10_000
        for key in [Key.rotaryScaling, .rotaryParameters] where try container.hasValue(key) {
            let parameters = try container.nestedContainer(keyedBy: RotaryKey.self, forKey: key)
            guard !parameters.allKeys.isEmpty else { continue }
            let original = try container.optional(Int.self, .originalMaxPositions)
            let ownBase = try parameters.optional(Double.self, .base) ?? base
            let scaling = try RotaryScaling(parameters, outerOriginal: original, maxPositions: maxPositions)
            if let problem = scaling.problem(base: ownBase), let field = RotaryKey(rawValue: problem.field) {
                throw parameters.refusal(field, problem.reason)
            }
            return (ownBase, scaling)
        }
        return (base, .none)
    }
}

extension RotaryScaling {
    fileprivate typealias Container = KeyedDecodingContainer<ModelConfiguration.RotaryKey>

    /// Throws `DecodingError` for kinds and fields that are not supported.
    fileprivate init(_ container: Container, outerOriginal: Int?, maxPositions: Int) throws {
        for key in [ModelConfiguration.RotaryKey.fullAttention, .slidingAttention, .sections]
        where try container.hasValue(key) {
            throw container.refusal(key, "is not supported; one rotation serves all layers and positions")
        }
        if try container.optional(Double.self, .partialRotaryFactor) ?? 1 != 1 {
            throw container.refusal(.partialRotaryFactor, "only 1 is supported")
        }
        let key: ModelConfiguration.RotaryKey = try container.hasValue(.type) ? .type : .formerType
        let type = try container.optional(String.self, key) ?? "default"
        let original =
            try outerOriginal ?? container.optional(Int.self, .originalMaxPositions)
        switch type {
        case "default": self = .none
        case "linear": self = .linear(factor: try container.required(Double.self, .factor))
        case "llama3":
            self = .llama3(
                Llama3(
                    factor: try container.required(Double.self, .factor),
                    lowFrequencyFactor: try container.required(Double.self, .lowFrequencyFactor),
                    highFrequencyFactor: try container.required(Double.self, .highFrequencyFactor),
                    originalMaxPositions: original ?? maxPositions))
        case "yarn": self = .yarn(try Self.yarn(container, original: original, maxPositions: maxPositions))
        default:
            throw container.refusal(key, "\"\(type)\" is not supported (default, linear, llama3, yarn)")
        }
    }

    private static func yarn(_ container: Container, original: Int?, maxPositions: Int) throws -> Yarn {
        /// Nil where the field is 0 too, which transformers takes for absent.
        func nonzero(_ key: ModelConfiguration.RotaryKey) throws -> Double? {
            try container.optional(Double.self, key).flatMap { $0 == 0 ? nil : $0 }
        }
        let factor: Double
        if let given = try container.optional(Double.self, .factor) {
            factor = given
        } else if let original, original > 0 {
            factor = Double(maxPositions) / Double(original)
        } else {
            throw container.refusal(.factor, "the field is missing, and so is original_max_position_embeddings")
        }
        return Yarn(
            factor: factor, originalMaxPositions: original ?? maxPositions,
            attentionFactor: try container.optional(Double.self, .attentionFactor),
            betaFast: try nonzero(.betaFast) ?? 32, betaSlow: try nonzero(.betaSlow) ?? 1,
            magnitudeScale: try nonzero(.magnitudeScale),
            magnitudeScaleAllDimensions: try nonzero(.magnitudeScaleAllDimensions),
            truncates: try container.optional(Bool.self, .truncates) ?? true)
    }
}
