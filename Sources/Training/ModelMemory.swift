import Generation
import Kernels
import Models

/// What the parts of a model take in memory, in bytes, as floating-point numbers so that no size is beyond counting.
///
/// Estimates of what `Models`, `Generation` and `Learning` allocate, a few per cent off.
public struct ModelMemory: Sendable {
    private static let float = 4.0
    /// Bytes that a pass or a generator takes of a row and a layer for each number of the row's width, at the very most; for
    /// products of sizes to be compared with what can be counted, not for any estimate.
    private static let bytesPerNumber = 64.0
    /// Whole numbers of bytes hold any product of sizes below it.
    private static let countable = 0x1p60
    /// What stands for larger ones: finite, so that differences of two are numbers.
    private static let beyondCounting = 0x1p100

    let shape: ModelConfiguration
    /// Whether the shape is one that weights could be of at all.
    private let isPossible: Bool
    private let activationStorage: ActivationStorage
    private let adapters: AdapterConfiguration?
    /// Bytes of a number in packed matrices.
    private let packed: Double
    private let hidden: Double
    private let layers: Double
    private let vocabulary: Double
    private let queryKeyValue: Double
    private let query: Double
    private let intermediate: Double

    /// - Parameters:
    ///   - activations: what the learner's passes keep.
    ///   - adapters: those that are trained in place of the weights.
    public init(
        _ shape: ModelConfiguration, activations: ActivationStorage = .kept, adapters: AdapterConfiguration? = nil
    ) {
        self.shape = shape
        isPossible = (try? shape.validate()) != nil
        activationStorage = activations
        self.adapters = adapters
        packed = shape.precision == .bfloat16 ? 2 : Self.float
        hidden = Double(shape.hiddenSize)
        layers = Double(shape.layerCount)
        vocabulary = Double(shape.vocabularySize)
        query = Double(shape.attentionHeadCount) * Double(shape.headDimension)
        queryKeyValue = query + 2 * Double(shape.keyValueHeadCount) * Double(shape.headDimension)
        intermediate = Double(shape.intermediateSize)
    }

    // MARK: Weights

    private var attention: Double { Self.float * layers * hidden * (queryKeyValue + query) }
    private var feedForward: Double { Self.float * layers * hidden * 3 * intermediate }
    private var embedding: Double { Self.float * vocabulary * hidden }
    private var norms: Double { Self.float * hidden * (2 * layers + 1) }

    /// One vector of all weights, as many gradients or moments.
    public var parameters: Double { attention + feedForward + norms + (shape.tiesEmbeddings ? 1 : 2) * embedding }

    /// A published version without its rotary table, which versions share.
    public var policyWeights: Double { matrices + norms + embedding }

    /// The same where the embedding is kept in bfloat16.
    var leastPolicyWeights: Double { policyWeights - embedding / 2 }

    /// The panels that input gradients are computed with.
    public var transposedWeights: Double { matrices }

    /// The layers' and the head's, packed.
    private var matrices: Double {
        // The last panel of a matrix is filled up: by half of its outputs, taking one matrix with another.
        let filled = Double(MatrixProduct.panelWidth) / 2 * (hidden * (3 * layers + 1) + intermediate * layers)
        return packed / Self.float * (attention + feedForward + embedding) + packed * filled
    }

    /// What updates change, as many gradients or moments: all weights, or the adapters.
    public var trained: Double {
        guard let adapters else { return parameters }
        return (try? Adapters.byteCount(adapters, of: shape)).map { Double($0) } ?? .infinity
    }

    private var adapterPanels: Double {
        guard let adapters else { return 0 }
        return (try? AdapterPanels.byteCount(adapters, of: shape)).map { Double($0) } ?? .infinity
    }

    /// Rows that threads convert and pack at a time.
    public func packing(threads: Int) -> Double {
        Double(threads) * counted { PolicyWeights.packingByteCount(shape) }
    }

    /// Stacks of threads that compute, beyond what the program's own few pages of each come to.
    public func stacks(threads: Int) -> Double {
        shape.precision == .bfloat16 ? Double(threads) * Double(BFloat16Product.stackRoom) : 0
    }

    /// Cosines and sines of all positions, or of those up to one.
    public var rotaryTable: Double { rotaryTable(positions: shape.maxPositions) }

    public func rotaryTable(positions: Int) -> Double {
        Self.float * Double(min(positions, shape.maxPositions)) * Double(shape.headDimension)
    }

    /// The field of config.json, and its value, that the weights' size owes most to: with its value in a model of half a billion
    /// weights, the weights would be fewest.
    public var largestField: (name: String, value: Int) {
        let fields: [(name: String, path: WritableKeyPath<ModelConfiguration, Int>, usual: Int)] = [
            ("hidden_size", \.hiddenSize, 896), ("intermediate_size", \.intermediateSize, 4864),
            ("vocab_size", \.vocabularySize, 32_000), ("num_hidden_layers", \.layerCount, 24),
            ("num_attention_heads", \.attentionHeadCount, 14), ("num_key_value_heads", \.keyValueHeadCount, 2),
            ("head_dim", \.headDimension, 64),
        ]
        // Heads as wide as they divide the hidden rows change with those, and by no field of their own.
        let heads: [WritableKeyPath<ModelConfiguration, Int>] = [\.attentionHeadCount, \.headDimension]
        let isDivided =
            shape.attentionHeadCount > 0 && shape.headDimension == shape.hiddenSize / shape.attentionHeadCount
        func weights(_ path: WritableKeyPath<ModelConfiguration, Int>, _ value: Int) -> Double {
            var other = shape
            other[keyPath: path] = value
            if isDivided { other.headDimension = max(1, other.hiddenSize / other.attentionHeadCount) }
            return ModelMemory(other).parameters
        }
        let candidates = fields.filter { !isDivided || !heads.contains($0.path) }
        let least = candidates.min { weights($0.path, $0.usual) < weights($1.path, $1.usual) } ?? fields[0]
        return (least.name, shape[keyPath: least.path])
    }

    // MARK: Work

    /// What `byteCount` gives, which asks the buffers' own rule; `beyondCounting` where whole numbers could not hold it.
    ///
    /// - Parameter sizes: what the bytes grow with, beside the model's own sizes.
    private func counted(_ sizes: Double..., byteCount: () -> Int) -> Double {
        let widths = hidden + queryKeyValue + query + 3 * intermediate + vocabulary
        let most = sizes.reduce(layers * widths * Self.bytesPerNumber) { $0 * max(1, $1) }
        return isPossible && most < Self.countable ? Double(byteCount()) : Self.beyondCounting
    }

    /// A generator with its keys and values.
    ///
    /// - Parameters:
    ///   - batch: completions at once.
    ///   - longest: positions of the longest prompt with its completion.
    ///   - positions: that all sequences together reach, where they are fewer than the generator has pages for.
    ///   - promptTokens: of all prompts together, where they are fewer than a step has room for.
    ///   - logits: rows of logits that a step ever writes; all that there is room for by default.
    ///   - threads: that may share a step.
    public func generator(
        batch: Double, longest: Double, positions: Double? = nil, promptTokens: Double? = nil, logits: Double? = nil,
        threads: Int = 1
    ) -> Double {
        // Keys and values, tables of pages, and workspaces.
        counted(max(batch, positions ?? 1), longest, Double(threads)) {
            Generator.byteCount(
                shape, batch: Int(batch), longest: Int(longest), positions: positions.map { Int($0) },
                promptTokens: promptTokens.map { Int(min($0, Self.countable)) },
                logits: logits.map { Int(min($0, Self.countable)) }, threads: threads)
        }
    }

    /// A forward pass that gives the log-probabilities of targets, and keeps nothing else.
    public func logProbabilities(rows: Double, targets: Double) -> Double {
        pass(rows: rows, targets: targets, longest: rows, storage: nil, members: 1)
    }

    /// A learner's forward and backward pass, with its gradient, but for the workspaces of its members.
    ///
    /// - Parameter longest: rows of the longest sequence; nil for all.
    public func gradient(rows: Double, targets: Double, longest: Double? = nil) -> Double {
        trained
            + pass(
                rows: rows, targets: targets, longest: min(rows, longest ?? rows), storage: activationStorage,
                members: 0)
    }

    private func pass(
        rows: Double, targets: Double, longest: Double, storage: ActivationStorage?, members: Int
    ) -> Double {
        counted(max(rows, targets)) {
            Backpropagation.memory(
                configuration: shape, rows: Int(rows), targets: Int(targets.rounded(.up)), longest: Int(longest),
                storage: storage, rank: adapters?.rank, members: members
            ).reduce(0) { $0 + $1.byteCount }
        }
    }

    /// A member's workspace for its part of passes, likewise, after all of these micro-batches: each of its buffers has what one
    /// or another of them asks for.
    func workspace(of microBatches: [(rows: Double, targets: Double, longest: Double)]) -> Double {
        counted(microBatches.map { max($0.rows, $0.targets) }.max() ?? 0) {
            let sizes = microBatches.map {
                WorkspaceSizes(
                    shape, rows: Int($0.rows), targets: Int($0.targets.rounded(.up)),
                    longest: Int(min($0.rows, $0.longest)), rank: adapters?.rank)
            }
            guard var largest = sizes.first else { return 0 }
            for others in sizes.dropFirst() { largest.formMaximum(others) }
            return largest.byteCount
        }
    }

    /// A learner, apart from the weights that it is given and those that it publishes.
    ///
    /// - Parameters:
    ///   - rows: of a micro-batch.
    ///   - targets: of its rows that have one; nil for all.
    ///   - longest: rows of the longest sequence; nil for all.
    ///   - passes: at once, each over a micro-batch, and their members; a pass without a micro-batch has memory that it never
    ///     touches.
    public func learner(
        rows: Double, targets: Double? = nil, longest: Double? = nil, passes: (count: Int, members: Int) = (1, 1)
    ) -> Double {
        let targets = targets ?? rows
        return optimizer + inputGradients
            + Double(passes.count) * gradient(rows: rows, targets: targets, longest: longest)
            + Double(passes.members) * workspace(of: [(rows, targets, longest ?? rows)])
    }

    /// Two moments and the sum of the gradients.
    var optimizer: Double { 3 * trained }

    /// The panels for input gradients, and those of the adapters.
    var inputGradients: Double { transposedWeights + adapterPanels }
}
