import Files

extension ModelConfiguration {
    /// Base and scaling of the rotary embedding, wherever config.json has them.
    ///
    /// As in transformers, `rope_scaling` (the former field) goes before `rope_parameters`, a base within it before the one
    /// at the top level, and a top-level `original_max_position_embeddings` before the one within.
    static func rotation(
        _ root: JSONField, maxPositions: Int
    ) throws -> (base: Double, scaling: RotaryScaling) {
        let base = try root[Key.rotaryBase].optional { try $0.number() } ?? 10_000
        for key in [Key.rotaryScaling, .rotaryParameters] where !root[key].isNull {
            let parameters = root[key]
            // What holds none of the fields that are known says nothing.
            guard try parameters.members().contains(where: { RotaryKey(rawValue: $0.name) != nil }) else { continue }
            let original: Int? = try root[Key.originalMaxPositions].optional { try $0.wholeNumber() }
            let ownBase = try parameters[RotaryKey.base].optional { try $0.number() } ?? base
            let scaling = try RotaryScaling(parameters, outerOriginal: original, maxPositions: maxPositions)
            if let problem = scaling.problem(base: ownBase) {
                throw parameters[problem.field].failure(problem.reason)
            }
            return (ownBase, scaling)
        }
        return (base, .none)
    }
}

extension RotaryScaling {
    fileprivate typealias Key = ModelConfiguration.RotaryKey

    /// Positions of a model whose config.json states so many. YaRN is asked for by adding it, with max_position_embeddings left as it
    /// was in pretraining (Qwen2.5's model cards): the context is then what it stretches that to.
    func positions(atLeast stated: Int) -> Int {
        guard case .yarn(let scaling) = self else { return stated }
        let stretched = (scaling.factor * Double(scaling.originalMaxPositions)).rounded(.down)
        return max(stated, Int(exactly: min(stretched, Double(Int32.max))) ?? stated)
    }

    /// Throws `FormatError` for kinds and fields that are not supported.
    fileprivate init(_ parameters: JSONField, outerOriginal: Int?, maxPositions: Int) throws {
        for key in [Key.fullAttention, .slidingAttention, .sections] where !parameters[key].isNull {
            throw parameters[key].failure("is not supported; one rotation serves all layers and positions")
        }
        if try parameters[Key.partialRotaryFactor].optional({ try $0.number() }) ?? 1 != 1 {
            throw parameters[Key.partialRotaryFactor].failure("only 1 is supported")
        }
        let kind = parameters[Key.type].isNull ? parameters[Key.formerType] : parameters[Key.type]
        let type = try kind.optional { try $0.string() } ?? "default"
        let original: Int? = try outerOriginal ?? parameters[Key.originalMaxPositions].optional { try $0.wholeNumber() }
        func number(_ key: Key) throws -> Double { try parameters[key].required { try $0.number() } }
        switch type {
        case "default": self = .none
        case "linear": self = .linear(factor: try number(.factor))
        case "llama3":
            self = .llama3(
                Llama3(
                    factor: try number(.factor),
                    lowFrequencyFactor: try number(.lowFrequencyFactor),
                    highFrequencyFactor: try number(.highFrequencyFactor),
                    originalMaxPositions: original ?? maxPositions))
        case "yarn": self = .yarn(try Self.yarn(parameters, original: original, maxPositions: maxPositions))
        default:
            throw kind.failure("\"\(type)\" is not supported (default, linear, llama3, yarn)")
        }
    }

    private static func yarn(_ parameters: JSONField, original: Int?, maxPositions: Int) throws -> Yarn {
        func number(_ key: Key) throws -> Double? { try parameters[key].optional { try $0.number() } }
        /// Nil where the field is 0 too, which transformers takes for absent.
        func nonzero(_ key: Key) throws -> Double? { try number(key).flatMap { $0 == 0 ? nil : $0 } }
        let factor: Double
        if let given = try number(.factor) {
            factor = given
        } else if let original, original > 0 {
            factor = Double(maxPositions) / Double(original)
        } else {
            throw parameters[Key.factor].failure("the field is missing, and so is original_max_position_embeddings")
        }
        return Yarn(
            factor: factor, originalMaxPositions: original ?? maxPositions,
            attentionFactor: try number(.attentionFactor),
            betaFast: try nonzero(.betaFast) ?? 32, betaSlow: try nonzero(.betaSlow) ?? 1,
            magnitudeScale: try nonzero(.magnitudeScale),
            magnitudeScaleAllDimensions: try nonzero(.magnitudeScaleAllDimensions),
            truncates: try parameters[Key.truncates].boolean(or: true))
    }
}
