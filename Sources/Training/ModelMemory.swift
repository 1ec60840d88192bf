import Models

/// What the parts of a model take in memory, in bytes, as floating-point numbers so that no size is beyond counting.
///
/// Estimates of what `Models`, `Generation` and `Learning` allocate, a few per cent off.
public struct ModelMemory: Sendable {
    private static let float = 4.0
    /// Rows of a forward pass that a generator keeps for prompts, beside one a completion.
    private static let prefillRows = 256.0

    private let shape: ModelConfiguration
    private let hidden: Double
    private let layers: Double
    private let vocabulary: Double
    private let queryKeyValue: Double
    private let query: Double
    private let keyValue: Double
    private let intermediate: Double

    public init(_ shape: ModelConfiguration) {
        self.shape = shape
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
    public var policyWeights: Double {
        // Panels of 32 outputs are filled up.
        let filled = Self.float * hidden * (32 * (3 * layers + 1)) + Self.float * intermediate * 32 * layers
        return attention + feedForward + norms + 2 * embedding + filled / 2
    }

    /// Cosines and sines of all positions.
    public var rotaryTable: Double { Self.float * Double(shape.maxPositions) * Double(shape.headDimension) }

    /// The largest field of config.json, and its value, of those that the weights' size goes by.
    public var largestField: (name: String, value: Int) {
        let fields = [
            ("hidden_size", shape.hiddenSize), ("intermediate_size", shape.intermediateSize),
            ("vocab_size", shape.vocabularySize), ("num_hidden_layers", shape.layerCount),
            ("num_attention_heads", shape.attentionHeadCount), ("head_dim", shape.headDimension),
        ]
        return fields.max { $0.1 < $1.1 } ?? fields[0]
    }

    // MARK: Work

    private var activations: Double {
        Self.float * (4 * hidden + 2 + queryKeyValue + query + Double(shape.attentionHeadCount) + 3 * intermediate)
    }

    private func pages(_ positions: Double) -> Double { (positions / 16).rounded(.up) * 16 }

    /// A generator with its keys and values.
    ///
    /// - Parameters:
    ///   - batch: completions at once.
    ///   - longest: positions of the longest prompt with its completion.
    ///   - positions: of all sequences together, where they are fewer or more than the batch's longest.
    public func generator(batch: Double, longest: Double, positions: Double? = nil) -> Double {
        let stored = max(2 * pages(longest), pages(positions ?? (batch + 1) * longest))
        let rows = batch + Self.prefillRows
        return stored * layers * 2 * keyValue * Self.float + rows * (activations + Self.float * hidden)
            + 2 * batch * Self.float * (vocabulary + hidden) + (batch + 2) * Self.float * vocabulary
            // Tables of pages, and the workspace of attention.
            + (batch + 1) * longest + 32 * longest
    }

    /// A forward pass that gives the log-probabilities of targets.
    public func forward(rows: Double, targets: Double) -> Double {
        rows * (layers * activations + Self.float * 2 * (hidden + keyValue)) + targets * Self.float
            * (vocabulary + hidden)
    }

    /// A learner's forward and backward pass, with its gradient.
    public func gradient(rows: Double, targets: Double) -> Double {
        let width = 2 * hidden + queryKeyValue + query + 3 * intermediate + 4 * keyValue
        // The products' workspace holds the operands of the widest matrix in panels.
        let workspace = max(
            rows * (hidden + max(queryKeyValue, 2 * intermediate)), targets * (vocabulary + hidden))
        return parameters + forward(rows: rows, targets: targets)
            + Self.float * (rows * width + targets * (vocabulary + hidden) + workspace)
    }

    /// A learner, apart from the weights that it is given and those that it publishes.
    ///
    /// - Parameter rows: of a micro-batch, of which each thread has one.
    public func learner(rows: Double, threads: Double) -> Double {
        // Two moments, the sum of the gradients, the panels for input gradients.
        3 * parameters + policyWeights + threads * gradient(rows: rows, targets: rows)
    }
}
