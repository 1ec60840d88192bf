import Kernels
import Memory

/// A model's matrices packed for input gradients, dX = dY · W. Only the learner has them; it packs them after each
/// optimizer step and its threads read them.
// Unchecked: written by `write` alone, which the learner calls while no pass runs.
public final class TransposedWeights: @unchecked Sendable {
    private let configuration: ModelConfiguration
    let panels: AlignedBuffer<Float>
    private let offsets: TransposedOffsets

    /// Bytes of the packed matrices.
    public static func byteCount(_ configuration: ModelConfiguration) -> Int {
        4 * TransposedOffsets(configuration).count
    }

    public init(_ parameters: Parameters) {
        configuration = parameters.configuration
        offsets = TransposedOffsets(configuration)
        panels = AlignedBuffer(count: offsets.count)
        write(parameters)
    }

    public func write(_ parameters: Parameters) {
        let shape = configuration
        let layout = parameters.layout
        func pack(_ source: Int, _ outputs: Int, _ depth: Int, _ target: Int) {
            MatrixProduct.packTransposed(
                weight: parameters.pointer + source, outputs: outputs, depth: depth, into: panels.pointer + target)
        }
        pack(layout.head, shape.vocabularySize, shape.hiddenSize, offsets.head)
        for (from, to) in zip(layout.layers, offsets.layers) {
            pack(from.queryKeyValue, shape.queryKeyValueWidth, shape.hiddenSize, to.queryKeyValue)
            pack(from.output, shape.hiddenSize, shape.queryWidth, to.output)
            pack(from.gateUp, 2 * shape.intermediateSize, shape.hiddenSize, to.gateUp)
            pack(from.down, shape.hiddenSize, shape.intermediateSize, to.down)
        }
    }

    var head: UnsafePointer<Float> { UnsafePointer(panels.pointer + offsets.head) }

    func queryKeyValue(_ layer: Int) -> UnsafePointer<Float> {
        UnsafePointer(panels.pointer + offsets.layers[layer].queryKeyValue)
    }
    func output(_ layer: Int) -> UnsafePointer<Float> { UnsafePointer(panels.pointer + offsets.layers[layer].output) }
    func gateUp(_ layer: Int) -> UnsafePointer<Float> { UnsafePointer(panels.pointer + offsets.layers[layer].gateUp) }
    func down(_ layer: Int) -> UnsafePointer<Float> { UnsafePointer(panels.pointer + offsets.layers[layer].down) }
}

/// Offsets, in floats, of the packed matrices.
private struct TransposedOffsets {
    struct Layer {
        var queryKeyValue = 0
        var output = 0
        var gateUp = 0
        var down = 0
    }

    private(set) var layers: [Layer] = []
    private(set) var head = 0
    private(set) var count = 0

    init(_ shape: ModelConfiguration) {
        for _ in 0..<shape.layerCount {
            var layer = Layer()
            layer.queryKeyValue = matrix(shape.queryKeyValueWidth, shape.hiddenSize)
            layer.output = matrix(shape.hiddenSize, shape.queryWidth)
            layer.gateUp = matrix(2 * shape.intermediateSize, shape.hiddenSize)
            layer.down = matrix(shape.hiddenSize, shape.intermediateSize)
            layers.append(layer)
        }
        head = matrix(shape.vocabularySize, shape.hiddenSize)
    }

    private mutating func matrix(_ outputs: Int, _ depth: Int) -> Int {
        defer { count += MatrixProduct.packedCount(outputs: depth, depth: outputs) }
        return count
    }
}
