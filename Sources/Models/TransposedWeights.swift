import Kernels
import Memory

/// A model's matrices packed for input gradients, dX = dY · W. Only the learner has them; it packs them after each
/// optimizer step and its threads read them.
// Unchecked: written by `write` alone, which the learner calls while no pass runs.
public final class TransposedWeights: @unchecked Sendable {
    private let configuration: ModelConfiguration
    /// Lanes of the packed matrices: floats, or pairs of bfloat16.
    let panels: AlignedBuffer<Float>
    private let offsets: TransposedOffsets

    /// Bytes of the packed matrices.
    public static func byteCount(_ configuration: ModelConfiguration) -> Int {
        4 * TransposedOffsets(configuration).matrices.laneCount
    }

    public init(_ parameters: Parameters) {
        configuration = parameters.configuration
        offsets = TransposedOffsets(configuration)
        panels = AlignedBuffer(count: offsets.matrices.laneCount)
        write(parameters)
    }

    public func write(_ parameters: Parameters) {
        let layout = parameters.layout
        pack(parameters.pointer + layout.head, to: offsets.head)
        for (from, to) in zip(layout.layers, offsets.layers) {
            pack(parameters.pointer + from.queryKeyValue, to: to.queryKeyValue)
            pack(parameters.pointer + from.output, to: to.output)
            pack(parameters.pointer + from.gateUp, to: to.gateUp)
            pack(parameters.pointer + from.down, to: to.down)
        }
    }

    /// A transposed matrix's outputs are the weight's inputs.
    private func pack(_ weight: UnsafePointer<Float>, to place: PackedMatrixPlace) {
        let target = panels.pointer + place.offset
        switch configuration.precision {
        case .float32:
            MatrixProduct.packTransposed(
                weight: weight, outputs: place.depth, depth: place.outputs, into: target)
        case .bfloat16:
            BFloat16Product.packTransposed(
                weight: weight, outputs: place.depth, depth: place.outputs,
                into: UnsafeMutableRawPointer(target).assumingMemoryBound(to: BFloat16Pair.self))
        }
    }

    var head: PackedMatrix { matrix(offsets.head) }

    func queryKeyValue(_ layer: Int) -> PackedMatrix { matrix(offsets.layers[layer].queryKeyValue) }
    func output(_ layer: Int) -> PackedMatrix { matrix(offsets.layers[layer].output) }
    func gateUp(_ layer: Int) -> PackedMatrix { matrix(offsets.layers[layer].gateUp) }
    func down(_ layer: Int) -> PackedMatrix { matrix(offsets.layers[layer].down) }

    private func matrix(_ place: PackedMatrixPlace) -> PackedMatrix {
        place.matrix(in: panels.pointer, configuration.precision)
    }
}

/// Where the packed matrices stand.
private struct TransposedOffsets {
    struct Layer {
        let queryKeyValue: PackedMatrixPlace
        let output: PackedMatrixPlace
        let gateUp: PackedMatrixPlace
        let down: PackedMatrixPlace
    }

    let layers: [Layer]
    let head: PackedMatrixPlace
    let matrices: PackedMatrixLayout

    init(_ shape: ModelConfiguration) {
        var matrices = PackedMatrixLayout(shape.precision)
        layers = (0..<shape.layerCount).map { _ in
            Layer(
                queryKeyValue: matrices.place(outputs: shape.hiddenSize, depth: shape.queryKeyValueWidth),
                output: matrices.place(outputs: shape.queryWidth, depth: shape.hiddenSize),
                gateUp: matrices.place(outputs: shape.hiddenSize, depth: 2 * shape.intermediateSize),
                down: matrices.place(outputs: shape.intermediateSize, depth: shape.hiddenSize))
        }
        head = matrices.place(outputs: shape.hiddenSize, depth: shape.vocabularySize)
        self.matrices = matrices
    }
}
