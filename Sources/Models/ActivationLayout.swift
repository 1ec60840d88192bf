/// Offsets, in floats, of a layer's activations within one buffer, for a given number of rows.
struct ActivationLayout {
    private let configuration: ModelConfiguration
    private let rows: Int
    private let keepsLogSumExp: Bool

    init(configuration: ModelConfiguration, rows: Int, keepsLogSumExp: Bool) {
        self.configuration = configuration
        self.rows = rows
        self.keepsLogSumExp = keepsLogSumExp
    }

    /// Floats that one layer takes.
    var count: Int {
        let shape = configuration
        let logSumExp = keepsLogSumExp ? shape.attentionHeadCount : 0
        return rows
            * (4 * shape.hiddenSize + 2 + shape.queryKeyValueWidth + shape.queryWidth + logSumExp + 3
                * shape.intermediateSize) + 11 * 16
    }

    func activations(at base: UnsafeMutablePointer<Float>) -> LayerActivations {
        let shape = configuration
        var next = base
        func take(_ width: Int) -> UnsafeMutablePointer<Float> {
            defer { next += (rows * width + 15) / 16 * 16 }
            return next
        }
        return LayerActivations(
            input: take(shape.hiddenSize), attentionNormed: take(shape.hiddenSize), attentionReciprocal: take(1),
            queryKeyValue: take(shape.queryKeyValueWidth), attended: take(shape.queryWidth),
            logSumExp: keepsLogSumExp ? take(shape.attentionHeadCount) : nil, middle: take(shape.hiddenSize),
            feedForwardNormed: take(shape.hiddenSize), feedForwardReciprocal: take(1),
            gateUp: take(2 * shape.intermediateSize), activated: take(shape.intermediateSize))
    }
}
