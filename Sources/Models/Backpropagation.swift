import Kernels
import Memory
import Pipelines

/// Forward passes that keep what the backward pass needs, and the backward pass: log-probabilities of a batch's targets,
/// then the gradient of any function of them.
///
///     pass.forward(batch, weights: weights, temperature: 1)
///     // pass.logProbabilities → coefficients dLoss/dlogProbability, one a target
///     pass.backward(coefficients, transposed: transposed, layout: layout, into: gradient)
///
/// The forward pass runs `DecoderLayer` on the panels that generation reads, so log-probabilities equal those recorded in
/// rollouts of the same version bit for bit. One thread at a time, with which others of its executor may share each pass; buffers
/// grow to the largest batch seen and stay.
public final class Backpropagation {
    public let configuration: ModelConfiguration
    /// Nil where nothing is kept.
    public let storage: ActivationStorage?
    /// Targets whose logits there are at a time where nothing is kept: enough to amortise the passage over the head.
    public static let targetsAtATime = 64

    let shape: LayerShape
    /// That members are lent theirs from.
    let workspaces: PassWorkspaces
    /// What the pass at hand asks of each, at least; written only while no member is at work.
    var workspaceSizes = WorkspaceSizes()
    /// How the pass at hand is cut for the threads that share it.
    private(set) var parts = PassParts(threads: 1)
    var forwardProgram = TeamProgram { _ in }
    var backwardProgram = TeamProgram { _ in }
    var task: BackwardTask?
    var batch = TrainingBatch()
    var weights: PolicyWeights?
    var temperature: Float = 1
    /// Whether a forward pass has left all that a backward pass reads.
    var isReadyToGoBack = false
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
    /// [targets][hidden].
    var targetRows = AlignedBuffer<Float>(count: 0)
    /// [targets][vocabulary], or of `targetsAtATime`; their gradients after a backward pass.
    var logits = AlignedBuffer<Float>(count: 0)
    var targetLogSumExp = AlignedBuffer<Float>(count: 0)
    var targetLogProbabilities = AlignedBuffer<Float>(count: 0)
    var targetEntropies = AlignedBuffer<Float>(count: 0)
    /// Rounded rows of the product that comes next.
    var scratch = AlignedBuffer<BFloat16Pair>(count: 0)
    var pages: TrainingPages
    var families = SpanFamilies()
    var gradients = BackwardBuffers()

    /// - Parameters:
    ///   - storage: what is kept for the backward pass; nil where log-probabilities are all that is wanted.
    ///   - workspaces: which other passes may have too; by default the pass has its own.
    public init(
        configuration: ModelConfiguration, storage: ActivationStorage? = .kept,
        workspaces: PassWorkspaces = PassWorkspaces()
    ) {
        self.configuration = configuration
        self.storage = storage
        self.workspaces = workspaces
        shape = LayerShape(configuration)
        pages = TrainingPages(configuration: configuration)
        forwardProgram = TeamProgram { [unowned self] member in
            workspaces.lend(workspaceSizes) { forward(&member, $0) }
        }
        backwardProgram = TeamProgram { [unowned self] member in
            workspaces.lend(workspaceSizes) { backward(&member, $0) }
        }
    }

    /// log p(target) = log-softmax(logits / temperature)[token], one a target of the last forward pass.
    public var logProbabilities: UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(start: targetLogProbabilities.pointer, count: batch.targets.count)
    }

    /// Mean entropy, in nats, of the distributions at the targets of the last forward pass.
    public var meanEntropy: Double {
        precondition(storage != nil, "the logits were not kept")
        let sum = batch.targets.indices.reduce(0) { $0 + Double(targetEntropies.pointer[$1]) }
        return batch.targets.isEmpty ? 0 : sum / Double(batch.targets.count)
    }

    /// Lets go of the weights of the last forward pass, which would stay in memory until the next; no backward pass may follow.
    public func releaseWeights() {
        weights = nil
    }

    /// Computes the log-probabilities of the batch's targets under `weights`.
    ///
    /// - Parameters:
    ///   - temperature: divides the logits; above 0.
    ///   - threads: that can be expected to share this pass and its backward pass; the results do not depend on it.
    public func forward(_ batch: TrainingBatch, weights: PolicyWeights, temperature: Float, sharedBy threads: Int = 1) {
        parts = PassParts(threads: threads)
        self.batch = batch
        self.weights = weights
        self.temperature = temperature
        isReadyToGoBack = storage != nil
        precondition(
            batch.longestSequence <= weights.rotary.positions, "a sequence is longer than the weights have room for")
        prepare()
        let rows = batch.rowCount
        for row in 0..<rows {
            tokens.pointer[row] = batch.tokens[row]
            positions.pointer[row] = batch.positions[row]
        }
        run(forwardProgram)
    }

    /// Runs a program with whoever shares the pass: any threads, but no more at once than it is cut for.
    func run(_ program: borrowing TeamProgram) {
        program.run(members: parts.threads)
    }

    /// Grows the buffers to the batch at hand.
    private func prepare() {
        reserve(rows: batch.rowCount, targets: batch.targets.count, positions: batch.longestSequence)
        pages.prepare(batch)
        families.prepare(batch)
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
            targetEntropies = AlignedBuffer(count: sizes.targetValues)
        }
        positionCapacity = max(positionCapacity, longest)
        workspaceSizes.formMaximum(sizes.workspace)
        if sizes.scratch > scratch.count {
            scratch = AlignedBuffer(count: sizes.scratch, pages: .large)
        }
    }
}
