import Kernels
import Memory
import Trajectories

/// The adapters of a model (or as many gradients, or moments) in one vector of floats, laid out by `layout`.
///
///     let adapters = try Adapters.randomized(AdapterConfiguration(rank: 16, alpha: 32), of: shape, seed: 1)
///     let weights = PolicyWeights(base, adapters: adapters)        // generation and learner read W + (alpha / rank) · B · A
///     pass.backward(coefficients, transposed: transposed, adapters: panels, into: gradient)
///
/// Whoever writes through `pointer` sees to it that nobody else touches the same elements meanwhile; see `AlignedBuffer`.
public final class Adapters: Sendable {
    public let configuration: AdapterConfiguration
    /// The shape of the model that they belong to.
    public let model: ModelConfiguration
    public let layout: AdapterLayout
    private let buffer: AlignedBuffer<Float>

    /// All zeros. Throws `FormatError` for an impossible configuration.
    public convenience init(_ configuration: AdapterConfiguration, of model: ModelConfiguration) throws {
        self.init(configuration, of: model, layout: try AdapterLayout(configuration, of: model))
    }

    private init(_ configuration: AdapterConfiguration, of model: ModelConfiguration, layout: AdapterLayout) {
        self.configuration = configuration
        self.model = model
        self.layout = layout
        buffer = AlignedBuffer(count: layout.count, pages: .large)
    }

    /// Bytes of one vector. Throws `FormatError` for an impossible configuration.
    public static func byteCount(_ configuration: AdapterConfiguration, of model: ModelConfiguration) throws -> Int {
        4 * (try AdapterLayout(configuration, of: model).count)
    }

    /// The first of `count` floats, aligned to 64 bytes. It lives as long as this object.
    public var pointer: UnsafeMutablePointer<Float> { buffer.pointer }

    /// `layout.count`.
    public var count: Int { buffer.count }

    /// Fresh adapters, which change nothing yet: B 0, A uniform in ±1 / √inputs, as PEFT has them (Kaiming's bound with
    /// a = √5).
    ///
    /// A tensor's values depend on the seed and its name alone. Throws `FormatError` for an impossible configuration.
    public static func randomized(
        _ configuration: AdapterConfiguration, of model: ModelConfiguration, seed: UInt64
    ) throws -> Adapters {
        let adapters = try Adapters(configuration, of: model)
        for entry in adapters.layout.entries where entry.name.hasSuffix("lora_A.weight") {
            let bound = 1 / Float(entry.shape[1]).squareRoot()
            let name = Problem(id: entry.name, question: "", answer: nil)
            let stream = RandomStream(seed: seed, purpose: .initialization, problem: name.key)
            let values = adapters.pointer + entry.offset
            for start in stride(from: 0, to: entry.count, by: 4) {
                let words = stream.words(at: start / 4)
                for lane in 0..<min(4, entry.count - start) {
                    values[start + lane] = (2 * Philox.uniform(words[lane]) - 1) * bound
                }
            }
        }
        return adapters
    }

    /// The same values in memory of their own.
    public func copy() -> Adapters {
        let result = Adapters(configuration, of: model, layout: layout)
        result.pointer.update(from: pointer, count: count)
        return result
    }
}
