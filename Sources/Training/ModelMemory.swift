import Kernels
import Models

/// What the parts of a model take in memory, in bytes, as floating-point numbers so that no size is beyond counting.
///
/// Estimates of what `Models`, `Generation` and `Learning` allocate, a few per cent off.
public struct ModelMemory: Sendable {
    private static let float = 4.0
    /// Rows of a forward pass that a generator keeps for prompts, beside one a completion.
    private static let prefillRows = 256.0

    private let shape: ModelConfiguration
    private let activationStorage: ActivationStorage
    private let adapters: AdapterConfiguration?
    /// Bytes of a number in packed matrices, and in kept keys and values.
    private let packed: Double
    private let hidden: Double
    private let layers: Double
    private let vocabulary: Double
    private let queryKeyValue: Double
    private let query: Double
    private let keyValue: Double
    private let intermediate: Double

    /// - Parameters:
    ///   - activations: what the learner's passes keep.
    ///   - adapters: those that are trained in place of the weights.
    public init(
        _ shape: ModelConfiguration, activations: ActivationStorage = .kept, adapters: AdapterConfiguration? = nil
    ) {
        self.shape = shape
        activationStorage = activations
        self.adapters = adapters
        packed = shape.precision == .bfloat16 ? 2 : Self.float
        hidden = Double(shape.hiddenSize)
        layers = Double(shape.layerCount)
        vocabulary = Double(shape.vocabularySize)
        query = Double(shape.attentionHeadCount) * Double(shape.headDimension)
        keyValue = Double(shape.keyValueHeadCount) * Double(shape.headDimension)
        queryKeyValue = query + 2 * keyValue
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
        // Panels of 32 outputs are filled up.
        let filled = hidden * (32 * (3 * layers + 1)) + intermediate * 32 * layers
        return packed / Self.float * (attention + feedForward + embedding) + packed * filled / 2
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
        let deepest = max(hidden, query, intermediate)
        let rows = max(256 * 1024, 32 * deepest)
        return Double(threads) * (Self.float * rows + 32 * packed * deepest)
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

    private var activations: Double {
        Self.float * (4 * hidden + 2 + queryKeyValue + query + Double(shape.attentionHeadCount) + 3 * intermediate)
    }

    /// Keys and values of a position in one layer; narrow heads are filled up to whole vectors.
    private var keptPosition: Double {
        let plain = 2 * keyValue * packed
        guard shape.headDimension <= 4096 else { return plain }
        let block = Attention.blockCount(
            headDimension: shape.headDimension, compact: shape.precision == .bfloat16)
        return Double(shape.keyValueHeadCount) * Self.float * Double(block) / Double(Attention.blockLength)
    }

    /// A row as products read it, the widest: rounded, or moved where rows stand badly; nothing where they are read as they are.
    private var productRow: Double {
        let lanes = [hidden, query, intermediate].map { width in
            // No larger width is any nearer to fitting.
            PackedMatrix.scratchCount(rows: 1, depth: Int(min(width, 0x1p60)), precision: shape.precision)
        }
        return Self.float * Double(lanes.max() ?? 0)
    }

    private func pages(_ positions: Double) -> Double { (positions / 16).rounded(.up) * 16 }

    /// A generator with its keys and values.
    ///
    /// - Parameters:
    ///   - batch: completions at once.
    ///   - longest: positions of the longest prompt with its completion.
    ///   - positions: that all sequences together reach, where they are fewer than the generator has pages for.
    ///   - threads: that may share a step.
    public func generator(batch: Double, longest: Double, positions: Double? = nil, threads: Int = 1) -> Double {
        let stored = pages(positions ?? max(2 * pages(longest), (batch + 1) * longest))
        let rows = batch + Self.prefillRows
        return stored * layers * keptPosition + rows * (activations + Self.float * hidden)
            + max(rows, 2 * batch) * productRow
            // Prompts have logits of their own, and each thread a sampler.
            + 2 * batch * Self.float * (vocabulary + hidden) + (batch + 1 + Double(threads)) * Self.float * vocabulary
            // Tables of pages.
            + (batch + 1) * longest + Double(threads) * attentionWorkspace(longest)
    }

    /// Of one thread that takes part in a step.
    private func attentionWorkspace(_ longest: Double) -> Double {
        let (width, positions) = (min(shape.headDimension, 1 << 32), Int(min(longest, 0x1p40)))
        var count = Attention.workspaceCount(headDimension: width, maximumPositions: positions)
        let queries = shape.attentionHeadCount / max(1, shape.keyValueHeadCount)
        if Attention.sharingMembers(queriesPerMember: max(1, queries)) > 1 {
            count = max(
                count, Attention.sharingWorkspaceCount(headDimension: width, maximumPositions: positions))
        }
        return Self.float * Double(count)
    }

    /// A forward pass that gives the log-probabilities of targets, and keeps nothing else.
    public func logProbabilities(rows: Double, targets: Double) -> Double {
        Self.float
            * (targets * hidden + min(targets, Double(Backpropagation.targetsAtATime)) * vocabulary)
            + rows * (activations + 2 * Self.float * hidden + keptPosition) + max(rows, targets) * productRow
    }

    /// A learner's forward pass.
    func forward(rows: Double, targets: Double) -> Double {
        let inputs = Self.float * hidden
        let kept =
            switch activationStorage {
            case .kept: layers * activations
            case .recomputed: layers * inputs + activations - inputs
            }
        return rows * (kept + 2 * inputs + keptPosition) + targets * Self.float * (vocabulary + hidden)
            + max(rows, targets) * productRow
    }

    /// A learner's forward and backward pass, with its gradient.
    public func gradient(rows: Double, targets: Double) -> Double {
        let width = 2 * hidden + queryKeyValue + query + 3 * intermediate + 4 * keyValue
        return trained + forward(rows: rows, targets: targets)
            + Self.float * (rows * width + targets * (vocabulary + hidden) + workspace(rows: rows, targets: targets))
    }

    /// Rows of the widest input gradient as products read them, some at a time; what a weight gradient's product takes; and what
    /// adapters have between their two matrices.
    private func workspace(rows: Double, targets: Double) -> Double {
        // No larger size is any nearer to fitting.
        func size(_ value: Double) -> Int { Int(min(value, 0x1p28)) }
        let products = [
            (rows, queryKeyValue, hidden), (rows, hidden, query), (rows, 2 * intermediate, hidden),
            (rows, hidden, intermediate), (targets, vocabulary, hidden),
        ].map { (rows: size($0), outputs: size($1), inputs: size($2)) }
        let arranged = products.map {
            PackedMatrix.scratchCount(rows: $0.rows, depth: $0.outputs, precision: shape.precision)
        }
        let gradients = products.map {
            WeightGradient.workspaceCount(rows: $0.rows, inputs: $0.inputs, precision: shape.precision)
        }
        return Double(arranged.max() ?? 0) + Double(gradients.max() ?? 0) + rows * Double(adapters?.rank ?? 0)
    }

    /// A learner, apart from the weights that it is given and those that it publishes.
    ///
    /// - Parameters:
    ///   - rows: of a micro-batch, of which each thread has one.
    ///   - targets: of its rows that have one; nil for all.
    public func learner(rows: Double, targets: Double? = nil, threads: Double) -> Double {
        optimizer + inputGradients + threads * gradient(rows: rows, targets: targets ?? rows)
    }

    /// Two moments and the sum of the gradients.
    var optimizer: Double { 3 * trained }

    /// The panels for input gradients, and those of the adapters.
    var inputGradients: Double { transposedWeights + adapterPanels }
}
