import Kernels
import Memory

/// Forward passes that keep what the backward pass needs, and the backward pass: log-probabilities of a batch's targets,
/// then the gradient of any function of them.
///
///     pass.forward(batch, weights: weights, temperature: 1)
///     // pass.logProbabilities → coefficients dLoss/dlogProbability, one a target
///     pass.backward(coefficients, transposed: transposed, layout: layout, into: gradient)
///
/// The forward pass runs `DecoderLayer` on the panels that generation reads, so log-probabilities equal those recorded in
/// rollouts of the same version bit for bit. One thread at a time; buffers grow to the largest batch seen and stay.
public final class Backpropagation {
    public let configuration: ModelConfiguration
    /// Nil where nothing is kept.
    public let storage: ActivationStorage?
    /// Targets whose logits there are at a time where nothing is kept: enough to amortise the passage over the head.
    public static let targetsAtATime = 64

    private let shape: LayerShape
    var batch = TrainingBatch()
    var weights: PolicyWeights?
    var temperature: Float = 1
    var rowCapacity = 0
    var targetCapacity = 0
    var positionCapacity = 0
    var tokens = AlignedBuffer<Int32>(count: 0)
    var positions = AlignedBuffer<Int32>(count: 0)
    /// [layers][rows][hidden]: what each layer was given, where it is kept.
    var inputs = AlignedBuffer<Float>(count: 0)
    var layerBuffers = AlignedBuffer<Float>(count: 0)
    var layers: [LayerActivations] = []
    /// [rows][hidden]: the last layer's result, and its norm.
    var hidden = AlignedBuffer<Float>(count: 0)
    var normed = AlignedBuffer<Float>(count: 0)
    var normReciprocal = AlignedBuffer<Float>(count: 0)
    /// [targets][hidden] and [targets][vocabulary], or of `targetsAtATime`.
    var targetRows = AlignedBuffer<Float>(count: 0)
    var logits = AlignedBuffer<Float>(count: 0)
    var targetLogSumExp = AlignedBuffer<Float>(count: 0)
    var targetLogProbabilities = AlignedBuffer<Float>(count: 0)
    var attentionWorkspace = AlignedBuffer<Float>(count: 0)
    var scratch = AlignedBuffer<BFloat16Pair>(count: 0)
    var pages: TrainingPages
    var gradients: BackwardBuffers

    /// - Parameter storage: what is kept for the backward pass; nil where log-probabilities are all that is wanted.
    public init(configuration: ModelConfiguration, storage: ActivationStorage? = .kept) {
        self.configuration = configuration
        self.storage = storage
        shape = LayerShape(configuration)
        pages = TrainingPages(configuration: configuration)
        gradients = BackwardBuffers(configuration: configuration)
    }

    /// log p(target) = log-softmax(logits / temperature)[token], one a target of the last forward pass.
    public var logProbabilities: UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(start: targetLogProbabilities.pointer, count: batch.targets.count)
    }

    /// Mean entropy, in nats, of the distributions at the targets of the last forward pass.
    public var meanEntropy: Double {
        precondition(storage != nil, "the logits were not kept")
        var sum = 0.0
        for index in batch.targets.indices {
            sum += Double(
                Softmax.entropy(
                    logits.pointer + index * configuration.vocabularySize, count: configuration.vocabularySize,
                    scale: 1 / temperature, logSumExp: targetLogSumExp.pointer[index]))
        }
        return batch.targets.isEmpty ? 0 : sum / Double(batch.targets.count)
    }

    /// Lets go of the weights of the last forward pass, which would stay in memory until the next; no backward pass may follow.
    public func releaseWeights() {
        weights = nil
    }

    /// Computes the log-probabilities of the batch's targets under `weights`.
    ///
    /// - Parameter temperature: divides the logits; above 0.
    public func forward(_ batch: TrainingBatch, weights: PolicyWeights, temperature: Float) {
        self.batch = batch
        self.weights = weights
        self.temperature = temperature
        precondition(
            batch.longestSequence <= weights.rotary.positions, "a sequence is longer than the weights have room for")
        prepare()
        let rows = batch.rowCount
        for row in 0..<rows {
            tokens.pointer[row] = batch.tokens[row]
            positions.pointer[row] = batch.positions[row]
        }
        guard rows > 0, let first = layers.first else { return }
        Embedding.gather(
            weights.embedding, tokens: tokens.pointer, rows: rows, width: shape.hiddenSize, into: first.input)
        for index in layers.indices {
            run(index, weights, output: index + 1 < layers.count ? layers[index + 1].input : hidden.pointer)
        }
        scoreTargets(weights)
    }

    /// Computes a layer's activations from its input, and its result where `output` is given.
    private func run(_ index: Int, _ weights: PolicyWeights, output: UnsafeMutablePointer<Float>?) {
        let rows = batch.rowCount
        let layer = DecoderLayer(
            shape: shape, weights: weights.layer(index), cosine: weights.rotary.cosine,
            sine: weights.rotary.sine, blockOffset: 0, headStride: pages.headStride, activations: layers[index],
            rows: rows, positions: positions.pointer, arranged: scratch.pointer)
        let matrices = layer.weights
        inBlocks(of: rows) { layer.normalizeInput($0) }
        layer.projectQueryKeyValue(
            matrices.queryKeyValue.allPanels, coming: ComingReads(panels: matrices.output.panel(0)))
        inBlocks(of: rows) { layer.rotate($0) }
        for span in batch.spans.indices {
            let rowSpan = pages.rowSpan(span, of: batch)
            layer.store(rowSpan)
            layer.attend(rowSpan, next: nil, workspace: attentionWorkspace.pointer)
        }
        inBlocks(of: rows) { layer.finishAttention($0) }
        layer.projectOutput(matrices.output.allPanels, coming: ComingReads(panels: matrices.gateUp.panel(0)))
        inBlocks(of: rows) { layer.normalizeMiddle($0) }
        layer.projectGateUp(matrices.gateUp.allPanels, coming: ComingReads(panels: matrices.down.panel(0)))
        inBlocks(of: rows) { layer.activate($0, output: output) }
        guard let output else { return }
        layer.projectDown(
            matrices.down.allPanels, coming: ComingReads(panels: weights.following(index).panel(0)), output: output)
    }

    /// Calls `body` with a few rows at a time: what it reads and writes of them stays in the first-level caches.
    private func inBlocks(of rows: Int, _ body: (Range<Int>) -> Void) {
        for first in stride(from: 0, to: rows, by: 16) {
            body(first..<min(rows, first + 16))
        }
    }

    /// Brings back what the backward pass reads of a layer; layers are asked for from the last to the first.
    func restore(_ index: Int, _ weights: PolicyWeights) {
        // The last layer's are those that the forward pass left.
        guard storage == .recomputed, index + 1 < layers.count else { return }
        run(index, weights, output: nil)
    }

    private func scoreTargets(_ weights: PolicyWeights) {
        let width = configuration.hiddenSize
        let vocabulary = configuration.vocabularySize
        let count = batch.targets.count
        Normalization.forwardMarkingOverflow(
            input: hidden.pointer, weight: weights.finalNorm, rows: batch.rowCount, width: width,
            epsilon: configuration.normalizationEpsilon, output: normed.pointer, reciprocal: normReciprocal.pointer)
        for (index, target) in batch.targets.enumerated() {
            (targetRows.pointer + index * width).update(from: normed.pointer + target.row * width, count: width)
        }
        let atATime = storage == nil ? Self.targetsAtATime : max(1, count)
        for first in stride(from: 0, to: count, by: atATime) {
            let part = first..<min(count, first + atATime)
            weights.head.multiply(
                targetRows.pointer + first * width, rows: part.count, into: logits.pointer, scratch: scratch.pointer)
            for index in part {
                let row = logits.pointer + (index - first) * vocabulary
                let logSumExp = Softmax.logSumExp(row, count: vocabulary, scale: 1 / temperature)
                targetLogSumExp.pointer[index] = logSumExp
                targetLogProbabilities.pointer[index] = Softmax.logProbability(
                    logit: row[Int(batch.targets[index].token)], scale: 1 / temperature, logSumExp: logSumExp)
            }
        }
    }

    /// Grows the buffers to the batch at hand.
    private func prepare() {
        reserve(rows: batch.rowCount, targets: batch.targets.count, positions: batch.longestSequence)
        pages.prepare(batch)
    }

    /// Makes room for forward passes over batches of up to so many rows and targets, at once rather than as they come.
    ///
    /// - Parameter longest: positions of the longest sequence.
    public func reserve(rows: Int, targets: Int, positions longest: Int) {
        let sizes = PassSizes(configuration, storage: storage, rows: rows, targets: targets, positions: longest)
        if rows > rowCapacity {
            rowCapacity = rows
            tokens = AlignedBuffer(count: sizes.indices)
            positions = AlignedBuffer(count: sizes.indices)
            hidden = AlignedBuffer(count: sizes.hidden, pages: .large)
            normed = AlignedBuffer(count: sizes.hidden, pages: .large)
            normReciprocal = AlignedBuffer(count: sizes.reciprocal)
            inputs = AlignedBuffer(count: sizes.inputs, pages: .large)
            layerBuffers = AlignedBuffer(count: sizes.layers, pages: .large)
            layers = (0..<configuration.layerCount).map {
                sizes.layer.activations(
                    at: layerBuffers.pointer + (storage == .kept ? $0 * sizes.layer.count : 0),
                    input: storage == nil ? hidden.pointer : inputs.pointer + $0 * sizes.hidden)
            }
        }
        if targets > targetCapacity {
            targetCapacity = targets
            targetRows = AlignedBuffer(count: sizes.targetRows, pages: .large)
            logits = AlignedBuffer(count: sizes.logits, pages: .large)
            targetLogSumExp = AlignedBuffer(count: sizes.targetValues)
            targetLogProbabilities = AlignedBuffer(count: sizes.targetValues)
        }
        if longest > positionCapacity {
            positionCapacity = longest
            attentionWorkspace = AlignedBuffer(count: sizes.attentionWorkspace)
        }
        if sizes.scratch > scratch.count {
            scratch = AlignedBuffer(count: sizes.scratch, pages: .large)
        }
    }
}
