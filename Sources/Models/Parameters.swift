import Memory

/// A model's weights (or as many gradients, or moments) in one vector of floats, laid out by `layout`.
///
/// Whoever writes through `pointer` sees to it that nobody else touches the same elements meanwhile; see
/// `AlignedBuffer`.
public final class Parameters: Sendable {
    public let configuration: ModelConfiguration
    public let layout: ParameterLayout
    private let buffer: AlignedBuffer<Float>

    /// All zeros. Throws `FormatError` for an impossible configuration.
    public convenience init(configuration: ModelConfiguration) throws {
        self.init(configuration: configuration, layout: try ParameterLayout(configuration))
    }

    init(configuration: ModelConfiguration, layout: ParameterLayout) {
        self.configuration = configuration
        self.layout = layout
        buffer = AlignedBuffer(count: layout.count, pages: .large)
    }

    /// The first of `count` floats, aligned to 64 bytes. It lives as long as this object.
    public var pointer: UnsafeMutablePointer<Float> { buffer.pointer }

    /// `layout.count`.
    public var count: Int { buffer.count }

    /// Fresh weights: normal with the deviation given, divided by √(2 · layers) for the projections that add to the residual
    /// stream (Radford et al., "Language Models are Unsupervised Multitask Learners", 2.3); norms 1, biases 0.
    ///
    /// A tensor's values depend on the seed and its name alone. Throws `FormatError` for an impossible configuration.
    public static func randomized(
        configuration: ModelConfiguration, seed: UInt64, deviation: Float = 0.02
    ) throws -> Parameters {
        let weights = try RandomWeights(configuration, seed: seed, deviation: deviation)
        let parameters = Parameters(configuration: configuration, layout: weights.layout)
        for (index, entry) in weights.layout.entries.enumerated() {
            weights.fill(index, 0..<entry.count, into: parameters.pointer + entry.offset)
        }
        return parameters
    }

    /// The same values in memory of their own, to be computed with in another precision where one is given.
    public func copy(precision: Precision? = nil) -> Parameters {
        var configuration = configuration
        configuration.precision = precision ?? configuration.precision
        let result = Parameters(configuration: configuration, layout: layout)
        result.pointer.update(from: pointer, count: count)
        return result
    }
}
