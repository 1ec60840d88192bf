import Kernels
import Memory
import Trajectories

/// One version of a model's weights in the form that forward passes read: matrices packed in panels, the rest as it is.
///
/// A value is written once, by `write(_:version:)`, before it is published, and only read from then on; generation and
/// learner read the same panels, which is half of why their log-probabilities are equal bit for bit.
// Unchecked: the buffers are written only while a single owner holds the object (see PolicyStore), never after publication.
public final class PolicyWeights: @unchecked Sendable {
    public let configuration: ModelConfiguration
    public let rotary: RotaryTable
    public private(set) var version: PolicyVersion

    private let offsets: WeightOffsets
    let plain: AlignedBuffer<Float>
    /// Lanes of the packed matrices: floats, or pairs of bfloat16.
    let panels: AlignedBuffer<Float>

    /// Bytes of a version, without the rotary table that versions share.
    public static func byteCount(_ configuration: ModelConfiguration) -> Int {
        let offsets = WeightOffsets(configuration)
        return 4 * (offsets.plainCount + offsets.matrices.laneCount)
    }

    public init(configuration: ModelConfiguration, rotary: RotaryTable) {
        self.configuration = configuration
        self.rotary = rotary
        version = PolicyVersion(0)
        offsets = WeightOffsets(configuration)
        plain = AlignedBuffer(count: offsets.plainCount)
        panels = AlignedBuffer(count: offsets.matrices.laneCount)
    }

    public convenience init(
        _ parameters: Parameters, adapters: Adapters? = nil, version: PolicyVersion = PolicyVersion(0)
    ) {
        self.init(configuration: parameters.configuration, rotary: RotaryTable(parameters.configuration))
        write(parameters, adapters: adapters, version: version)
    }

    /// Packs `parameters`, with the adapters merged in, into this object. The caller is its only owner.
    ///
    /// - Parameter perform: runs the layers, which do not touch one another.
    public func write(
        _ parameters: Parameters, adapters: Adapters? = nil, version: PolicyVersion,
        perform: WeightLoop = runInTurn
    ) {
        self.version = version
        perform(offsets.layers.count + 1) { tile in
            if tile == 0 {
                writeEnds(parameters)
            } else {
                write(layer: tile - 1, WeightSource(parameters, adapters))
            }
        }
    }

    /// What stands before and behind the layers.
    private func writeEnds(_ parameters: Parameters) {
        let source = parameters.pointer
        let layout = parameters.layout
        let shape = configuration
        copy(source + layout.embedding, to: offsets.embedding, count: shape.vocabularySize * shape.hiddenSize)
        copy(source + layout.finalNorm, to: offsets.finalNorm, count: shape.hiddenSize)
        let workspace = AlignedBuffer<BFloat16Pair>(count: offsets.packWorkspace)
        pack(source + layout.head, to: offsets.head, workspace.pointer)
    }

    private func write(layer: Int, _ matrices: borrowing WeightSource) {
        let source = matrices.parameters.pointer
        let shape = configuration
        let from = matrices.parameters.layout.layers[layer]
        let to = offsets.layers[layer]
        copy(source + from.attentionNorm, to: to.attentionNorm, count: shape.hiddenSize)
        copy(source + from.feedForwardNorm, to: to.feedForwardNorm, count: shape.hiddenSize)
        copy(source, from.queryKeyValueBias, to: to.queryKeyValueBias, count: shape.queryKeyValueWidth)
        copy(source, from.queryNorm, to: to.queryNorm, count: shape.headDimension)
        copy(source, from.keyNorm, to: to.keyNorm, count: shape.headDimension)
        copy(source, from.outputBias, to: to.outputBias, count: shape.hiddenSize)
        let workspace = AlignedBuffer<BFloat16Pair>(count: offsets.packWorkspace)
        for block in ProjectionBlock.allCases {
            pack(matrices.matrix(block, layer: layer), to: to.blocks[block], workspace.pointer)
        }
    }

    private func copy(_ source: UnsafePointer<Float>, to offset: Int, count: Int) {
        (plain.pointer + offset).update(from: source, count: count)
    }

    /// Copies a vector that some architectures have.
    private func copy(_ source: UnsafePointer<Float>, _ offset: Int?, to target: Int?, count: Int) {
        guard let offset, let target else { return }
        copy(source + offset, to: target, count: count)
    }

    private func pack(
        _ weight: UnsafePointer<Float>, to place: PackedMatrixPlace, _ workspace: UnsafeMutablePointer<BFloat16Pair>
    ) {
        PackedMatrix.pack(
            weight, outputs: place.outputs, depth: place.depth, precision: configuration.precision,
            into: panels.pointer + place.offset, workspace: workspace)
    }

    var embedding: UnsafePointer<Float> { UnsafePointer(plain.pointer + offsets.embedding) }
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
struct LayerWeights {
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

/// Places in the buffers of `PolicyWeights`; offsets in floats.
private struct WeightOffsets {
    struct Layer {
        var attentionNorm = 0
        var feedForwardNorm = 0
        var queryKeyValueBias: Int?
        var queryNorm: Int?
        var keyNorm: Int?
        var outputBias: Int?
        var blocks: BlockPlaces
    }

    private(set) var embedding = 0
    private(set) var finalNorm = 0
    let head: PackedMatrixPlace
    private(set) var layers: [Layer] = []
    private(set) var plainCount = 0
    private(set) var matrices: PackedMatrixLayout
    /// Pairs that packing takes on the way.
    let packWorkspace: Int

    init(_ shape: ModelConfiguration) {
        var matrices = PackedMatrixLayout(shape.precision)
        let places = (0..<shape.layerCount).map { _ in
            BlockPlaces { matrices.place(outputs: $0.outputs(shape), depth: $0.inputs(shape)) }
        }
        head = matrices.place(outputs: shape.vocabularySize, depth: shape.hiddenSize)
        self.matrices = matrices
        packWorkspace = PackedMatrix.packWorkspace(depth: matrices.deepest, precision: shape.precision)
        embedding = plain(shape.vocabularySize * shape.hiddenSize)
        finalNorm = plain(shape.hiddenSize)
        for blocks in places {
            var layer = Layer(blocks: blocks)
            layer.attentionNorm = plain(shape.hiddenSize)
            layer.feedForwardNorm = plain(shape.hiddenSize)
            if shape.hasAttentionBias {
                layer.queryKeyValueBias = plain(shape.queryKeyValueWidth)
            }
            if shape.normalizesHeads {
                layer.queryNorm = plain(shape.headDimension)
                layer.keyNorm = plain(shape.headDimension)
            }
            if shape.attentionBias == .all {
                layer.outputBias = plain(shape.hiddenSize)
            }
            layers.append(layer)
        }
    }

    /// Rounds every start up to a cache line.
    private mutating func plain(_ count: Int) -> Int {
        defer { plainCount += (count + 15) / 16 * 16 }
        return plainCount
    }
}
