import Memory
import Trajectories

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
        buffer = AlignedBuffer(count: layout.count)
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
        let parameters = try Parameters(configuration: configuration)
        let residualScale = 1 / Float(2 * configuration.layerCount).squareRoot()
        for entry in parameters.layout.entries {
            let values = UnsafeMutableBufferPointer(start: parameters.pointer + entry.offset, count: entry.count)
            if entry.name.hasSuffix("norm.weight") {
                values.update(repeating: 1)
            } else if !entry.name.hasSuffix(".bias") {
                let addsToResidual = entry.name.hasSuffix("o_proj.weight") || entry.name.hasSuffix("down_proj.weight")
                let name = Problem(id: entry.name, question: "", answer: nil)
                let stream = RandomStream(seed: seed, purpose: .initialization, problem: name.key)
                fill(values, from: stream, deviation: addsToResidual ? deviation * residualScale : deviation)
            }
        }
        return parameters
    }

    private static func fill(_ values: UnsafeMutableBufferPointer<Float>, from stream: RandomStream, deviation: Float) {
        for start in stride(from: 0, to: values.count, by: 4) {
            let words = stream.words(at: start / 4)
            let (first, second) = Philox.normal(words.x, words.y)
            let (third, fourth) = Philox.normal(words.z, words.w)
            let normals = SIMD4(first, second, third, fourth) * deviation
            for lane in 0..<min(4, values.count - start) {
                values[start + lane] = normals[lane]
            }
        }
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
