/// Offsets, in floats, of a layer's activations within one buffer, for a given number of rows. The layer's input stands
/// elsewhere.
struct ActivationLayout {
    enum Purpose {
        case inference
        /// Keeps what the backward pass reads.
        case training
    }

    /// Floats that one layer takes.
    private(set) var count = 0
    private var attentionNormed = 0
    private var attentionReciprocal = 0
    private var queryKeyValue = 0
    private var rawQueryKey: Int?
    private var headReciprocal: Int?
    private var attended = 0
    private var logSumExp: Int?
    /// Nothing where no backward pass follows: attention's result is then added to the input where it stands.
    private var middle: Int?
    private var feedForwardNormed = 0
    private var feedForwardReciprocal = 0
    private var gateUp = 0
    private var activated = 0

    init(configuration shape: ModelConfiguration, rows: Int, purpose: Purpose) {
        /// Rounds every start up to a cache line.
        func take(_ width: Int) -> Int {
            defer { count += (rows * width + 15) / 16 * 16 }
            return count
        }
        attentionNormed = take(shape.hiddenSize)
        attentionReciprocal = take(1)
        queryKeyValue = take(shape.queryKeyValueWidth)
        if shape.normalizesHeads {
            rawQueryKey = purpose == .training ? take(shape.rotatedWidth) : nil
            headReciprocal = take(shape.rotatedHeadCount)
        }
        attended = take(shape.queryWidth)
        logSumExp = purpose == .training ? take(shape.attentionHeadCount) : nil
        middle = purpose == .training ? take(shape.hiddenSize) : nil
        feedForwardNormed = take(shape.hiddenSize)
        feedForwardReciprocal = take(1)
        gateUp = take(2 * shape.intermediateSize)
        activated = take(shape.intermediateSize)
    }

    func activations(
        at base: UnsafeMutablePointer<Float>, input: UnsafeMutablePointer<Float>
    ) -> LayerActivations {
        LayerActivations(
            input: input, attentionNormed: base + attentionNormed, attentionReciprocal: base + attentionReciprocal,
            queryKeyValue: base + queryKeyValue, rawQueryKey: rawQueryKey.map { base + $0 },
            headReciprocal: headReciprocal.map { base + $0 }, attended: base + attended,
            logSumExp: logSumExp.map { base + $0 }, middle: middle.map { base + $0 } ?? input,
            feedForwardNormed: base + feedForwardNormed, feedForwardReciprocal: base + feedForwardReciprocal,
            gateUp: base + gateUp, activated: base + activated)
    }
}
