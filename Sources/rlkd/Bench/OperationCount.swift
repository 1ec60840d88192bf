import Models

/// Floating-point operations of a model: 2 × the matrix weights used + 4 · layers · hidden · context a token, three times that
/// in training.
struct OperationCount {
    let configuration: ModelConfiguration

    /// Weights of all layers' matrices.
    var layerWeights: Int {
        let shape = configuration
        let layer =
            shape.queryKeyValueWidth * shape.hiddenSize + shape.queryWidth * shape.hiddenSize
            + 3 * shape.intermediateSize * shape.hiddenSize
        return shape.layerCount * layer
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

    /// Forward and backward.
    func training(rows: Int, logits: Int, context: Double) -> Double {
        3 * forward(rows: rows, logits: logits, context: context)
    }
}
