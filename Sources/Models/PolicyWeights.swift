import Memory
import Synchronization
import Trajectories

/// One version of a model's weights in the form that forward passes read: matrices packed in panels, the rest as it is.
///
/// A value is written once, by `write(_:adapters:version:perform:)`, before it is published, and only read from then on; generation and
/// learner read the same panels, which is half of why their log-probabilities are equal bit for bit.
// Unchecked: all is written by `write` alone, while its caller has the only reference: a new object, or one of which the store
// has seen that no reader's is left, after the last of them let it go. The store's lock orders it before those who take it up,
// and from then on all read.
public final class PolicyWeights: @unchecked Sendable {
    /// The model's, its context cut to the positions of the rotary table.
    public let configuration: ModelConfiguration
    public let rotary: RotaryTable
    public private(set) var version: PolicyVersion

    let offsets: PolicyWeightLayout
    private var embeddingFormat: EmbeddingFormat
    private(set) var embeddingLanes: AlignedBuffer<Float>
    /// Norms and biases.
    let plain: AlignedBuffer<Float>
    /// Lanes of the packed matrices: floats, or pairs of bfloat16.
    let panels: AlignedBuffer<Float>

    /// Bytes of a version, without the rotary table that versions share.
    public static func byteCount(_ configuration: ModelConfiguration) -> Int {
        byteCount(configuration, embedding: .float32)
    }

    static func byteCount(_ configuration: ModelConfiguration, embedding: EmbeddingFormat) -> Int {
        let offsets = PolicyWeightLayout(configuration)
        return 4
            * (embedding.laneCount(offsets.embeddingCount) + offsets.plainCount + offsets.matrices.laneCount)
    }

    public convenience init(configuration: ModelConfiguration, rotary: RotaryTable) {
        self.init(configuration: configuration, rotary: rotary, embedding: .float32)
    }

    init(configuration: ModelConfiguration, rotary: RotaryTable, embedding: EmbeddingFormat) {
        var configuration = configuration
        configuration.maxPositions = min(configuration.maxPositions, rotary.positions)
        self.configuration = configuration
        self.rotary = rotary
        version = PolicyVersion(0)
        offsets = PolicyWeightLayout(configuration)
        embeddingFormat = embedding
        embeddingLanes = AlignedBuffer(count: embedding.laneCount(offsets.embeddingCount), pages: .large)
        plain = AlignedBuffer(count: offsets.plainCount)
        panels = AlignedBuffer(count: offsets.matrices.laneCount, pages: .large)
    }

    /// - Parameter rotary: of as many positions as passes will reach; of all by default.
    public convenience init(
        _ parameters: Parameters, adapters: Adapters? = nil, version: PolicyVersion = PolicyVersion(0),
        rotary: RotaryTable? = nil
    ) {
        self.init(configuration: parameters.configuration, rotary: rotary ?? RotaryTable(parameters.configuration))
        write(parameters, adapters: adapters, version: version)
    }

    /// The weights of `Parameters.randomized`, which are never in memory as such.
    ///
    /// - Parameter perform: see `write`.
    /// - Throws: `FormatError` for an impossible configuration.
    public static func randomized(
        configuration: ModelConfiguration, seed: UInt64, deviation: Float = 0.02, perform: WeightLoop = runInTurn
    ) throws -> PolicyWeights {
        let origin = try RandomWeights(configuration, seed: seed, deviation: deviation)
        let weights = PolicyWeights(configuration: configuration, rotary: RotaryTable(configuration))
        weights.write(from: origin, adapters: nil, version: PolicyVersion(0), perform: perform)
        return weights
    }

    /// Packs `parameters`, with the adapters merged in, into this object. The caller is its only owner.
    ///
    /// - Parameter perform: runs parts of the model, which do not touch one another.
    public func write(
        _ parameters: Parameters, adapters: Adapters? = nil, version: PolicyVersion,
        perform: WeightLoop = runInTurn
    ) {
        write(from: parameters, adapters: adapters, version: version, perform: perform)
    }

    /// The same from wherever the weights come, a bounded number of rows at a time.
    ///
    /// - Throws: what the origin throws of the first tensor at fault; the object is of no use then.
    func write<Origin: WeightOrigin>(
        from origin: Origin, adapters: Adapters?, version: PolicyVersion, perform: WeightLoop
    ) throws(Origin.Failure) {
        self.version = version
        if embeddingFormat != origin.embeddingFormat {
            embeddingFormat = origin.embeddingFormat
            embeddingLanes = AlignedBuffer(count: embeddingFormat.laneCount(offsets.embeddingCount), pages: .large)
        }
        let parts = WeightPart.all(of: configuration)
        let failure = Mutex<(part: Int, error: Origin.Failure)?>(nil)
        perform(parts.count) { index in
            do throws(Origin.Failure) {
                let writer = PolicyWeightWriter(self, WeightSource(origin, adapters, capacity: offsets.rowCapacity))
                try writer.write(parts[index])
            } catch {
                failure.withLock { first in
                    if first.map({ index < $0.part }) ?? true { first = (index, error) }
                }
            }
        }
        if let (_, error) = failure.withLock({ $0 }) { throw error }
    }

    var embedding: EmbeddingTable { EmbeddingTable(embeddingFormat, lanes: embeddingLanes.pointer) }
    var finalNorm: UnsafePointer<Float> { UnsafePointer(plain.pointer + offsets.finalNorm) }
    var head: PackedMatrix { matrix(offsets.head) }

    /// The matrix that a pass reads after those of a layer.
    func following(_ layer: Int) -> PackedMatrix {
        layer + 1 < offsets.layers.count ? matrix(offsets.layers[layer + 1].blocks[.queryKeyValue]) : head
    }

    func layer(_ index: Int) -> LayerWeights {
        let at = offsets.layers[index]
        return LayerWeights(
            attentionNorm: plain.pointer + at.attentionNorm,
            queryKeyValue: matrix(at.blocks[.queryKeyValue]),
            queryKeyValueBias: vector(at.queryKeyValueBias),
            queryNorm: vector(at.queryNorm),
            keyNorm: vector(at.keyNorm),
            output: matrix(at.blocks[.output]),
            outputBias: vector(at.outputBias),
            feedForwardNorm: plain.pointer + at.feedForwardNorm,
            gateUp: matrix(at.blocks[.gateUp]),
            down: matrix(at.blocks[.down]))
    }

    private func matrix(_ place: PackedMatrixPlace) -> PackedMatrix {
        place.matrix(in: panels.pointer, configuration.precision)
    }

    private func vector(_ offset: Int?) -> UnsafePointer<Float>? {
        offset.map { UnsafePointer(plain.pointer + $0) }
    }
}

/// Where one layer's weights stand; matrices are packed for the forward product.
struct LayerWeights: BitwiseCopyable {
    let attentionNorm: UnsafePointer<Float>
    let queryKeyValue: PackedMatrix
    let queryKeyValueBias: UnsafePointer<Float>?
    let queryNorm: UnsafePointer<Float>?
    let keyNorm: UnsafePointer<Float>?
    let output: PackedMatrix
    let outputBias: UnsafePointer<Float>?
    let feedForwardNorm: UnsafePointer<Float>
    let gateUp: PackedMatrix
    let down: PackedMatrix
}
