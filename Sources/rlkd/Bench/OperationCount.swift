import Models

/// Floating-point operations of a model: 2 × the matrix weights used + 4 · layers · hidden · context a token, three times that
/// in training.
struct OperationCount {
    let configuration: ModelConfiguration

    /// Weights of all layers' matrices.
    var layerWeights: Int { configuration.layerCount * (queryKeyValueWeights + finishingWeights) }

    /// Weights of a layer's matrix that gives queries, keys and values.
    private var queryKeyValueWeights: Int { configuration.queryKeyValueWidth * configuration.hiddenSize }

    /// Weights of a layer's other matrices.
    private var finishingWeights: Int {
        (configuration.queryWidth + 3 * configuration.intermediateSize) * configuration.hiddenSize
    }

    /// Weights of the matrix that gives logits.
    var headWeights: Int { configuration.vocabularySize * configuration.hiddenSize }

    /// A forward pass over rows.
    ///
    /// - Parameters:
    ///   - logits: rows whose logits are computed.
    ///   - context: mean number of positions that a row attends to.
    func forward(rows: Int, logits: Int, context: Double) -> Double {
        2 * Double(rows) * Double(layerWeights) + 2 * Double(logits) * Double(headWeights)
            + 4 * Double(configuration.layerCount * configuration.hiddenSize) * context * Double(rows)
    }

    /// Prefill of a prompt up to its last token's logits: in the last layer the other
    /// tokens have queries, keys and values, but neither attend nor go on.
    func prefill(_ prompt: Int) -> Double {
        let whole = forward(rows: prompt, logits: 1, context: Double(prompt + 1) / 2)
        let others = prompt - 1
        return whole - 2 * Double(others) * Double(finishingWeights)
            - 4 * Double(configuration.hiddenSize) * Double(others) * Double(prompt) / 2
    }

    /// Forward and backward.
    func training(rows: Int, logits: Int, context: Double) -> Double {
        3 * forward(rows: rows, logits: logits, context: context)
    }
}
