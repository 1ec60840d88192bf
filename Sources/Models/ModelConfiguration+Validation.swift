import Files

extension ModelConfiguration {
    /// Largest size of a single field: the product of two fits an `Int`. `byteCountFits` bounds all that weights take; nothing
    /// bounds what grows with positions as well, which is counted as `Double`.
    private static let largestSize = Int(Int32.max)
    private static let largestLayerCount = 10_000

    /// Throws `FormatError` naming `file` and the first field that makes the model impossible.
    public func validate(file: String = "config.json") throws {
        func require(_ condition: Bool, _ field: String, _ reason: @autoclosure () -> String) throws {
            guard condition else { throw FormatError(file: file, field: field, reason: reason()) }
        }
        let sizes = [
            ("hidden_size", hiddenSize), ("intermediate_size", intermediateSize), ("num_hidden_layers", layerCount),
            ("num_attention_heads", attentionHeadCount), ("num_key_value_heads", keyValueHeadCount),
            ("head_dim", headDimension), ("vocab_size", vocabularySize), ("max_position_embeddings", maxPositions),
        ]
        for (field, size) in sizes {
            let most = field == "num_hidden_layers" ? Self.largestLayerCount : Self.largestSize
            try require(1...most ~= size, field, "\(size) is not between 1 and \(most)")
        }
        try require(
            attentionHeadCount.isMultiple(of: keyValueHeadCount), "num_key_value_heads",
            "\(attentionHeadCount) attention heads cannot be shared evenly among \(keyValueHeadCount)")
        try require(
            headDimension.isMultiple(of: 2), "head_dim",
            "\(headDimension) is odd; the rotary embedding turns pairs of dimensions")
        try require(
            normalizationEpsilon.isFinite && normalizationEpsilon >= 0, "rms_norm_eps",
            "\(normalizationEpsilon) is not a finite number of at least 0")
        let bases = RotaryScaling.possible
        try require(
            bases ~= rotaryBase, "rope_theta",
            "\(rotaryBase) is not a number from \(bases.lowerBound) to \(bases.upperBound)")
        if let problem = rotaryScaling.problem(base: rotaryBase) {
            throw FormatError(file: file, field: "rope_parameters.\(problem.field)", reason: problem.reason)
        }
        try require(
            architecture != .qwen2 || attentionBias == .queryKeyValue, "attention_bias",
            "qwen2 has a bias on queries, keys and values, and on nothing else")
        try require(
            attentionBias != .queryKeyValue || architecture == .qwen2, "attention_bias",
            "\(architecture.rawValue) has a bias on all projections of the attention or on none")
        let tokens =
            [("bos_token_id", beginningToken), ("pad_token_id", paddingToken)] + endTokens.map { ("eos_token_id", $0) }
        for case (let field, let token?) in tokens {
            try require(
                token >= 0 && Int(token) < vocabularySize, field,
                "\(token) is not in the vocabulary of \(vocabularySize)")
        }
        try require(byteCountFits, "hidden_size", "the model's parameters would not fit any memory")
    }

    /// Whether the bytes of all parameters, padding included, stay far below `Int.max`. Sizes are between 1 and
    /// `largestSize`.
    private var byteCountFits: Bool {
        let query = Double(attentionHeadCount) * Double(headDimension)
        let keyValue = Double(keyValueHeadCount) * Double(headDimension)
        let hidden = Double(hiddenSize)
        let vectors = query + 2 * keyValue + hidden + 2 * Double(headDimension) + 192
        let layer = hidden * (2 * query + 2 * keyValue + 3 * Double(intermediateSize) + 2) + vectors
        let total = Double(layerCount) * layer + 2 * Double(vocabularySize) * hidden + hidden + 64
        return total < 0x1p56
    }
}
