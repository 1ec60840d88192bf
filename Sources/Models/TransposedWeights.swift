import Kernels
import Memory

/// A model's matrices packed for input gradients, dX = dY · W. Only the learner has them; it packs them after each
/// optimizer step and its threads read them.
// Unchecked: written by `write` alone, which the learner calls while no pass runs.
public final class TransposedWeights: @unchecked Sendable {
    struct Layer {
        var queryKeyValue = 0
        var output = 0
        var gateUp = 0
        var down = 0
    }

    private let configuration: ModelConfiguration
    private let panels: AlignedBuffer<Float>
    private let layers: [Layer]
    private let headOffset: Int

    public init(_ parameters: Parameters) {
        let shape = parameters.configuration
        var next = 0
        func matrix(_ outputs: Int, _ depth: Int) -> Int {
            defer { next += MatrixProduct.packedCount(outputs: depth, depth: outputs) }
            return next
        }
        configuration = shape
        layers = (0..<shape.layerCount).map { _ in
            Layer(
                queryKeyValue: matrix(shape.queryKeyValueWidth, shape.hiddenSize),
                output: matrix(shape.hiddenSize, shape.queryWidth),
                gateUp: matrix(2 * shape.intermediateSize, shape.hiddenSize),
                down: matrix(shape.hiddenSize, shape.intermediateSize))
        }
        headOffset = matrix(shape.vocabularySize, shape.hiddenSize)
        panels = AlignedBuffer(count: next)
        write(parameters)
    }

    public func write(_ parameters: Parameters) {
        let shape = configuration
        let layout = parameters.layout
        func pack(_ source: Int, _ outputs: Int, _ depth: Int, _ target: Int) {
            MatrixProduct.packTransposed(
                weight: parameters.pointer + source, outputs: outputs, depth: depth, into: panels.pointer + target)
        }
        pack(layout.head, shape.vocabularySize, shape.hiddenSize, headOffset)
        for (from, to) in zip(layout.layers, layers) {
            pack(from.queryKeyValue, shape.queryKeyValueWidth, shape.hiddenSize, to.queryKeyValue)
            pack(from.output, shape.hiddenSize, shape.queryWidth, to.output)
            pack(from.gateUp, 2 * shape.intermediateSize, shape.hiddenSize, to.gateUp)
            pack(from.down, shape.hiddenSize, shape.intermediateSize, to.down)
        }
    }

    var head: UnsafePointer<Float> { UnsafePointer(panels.pointer + headOffset) }

    func queryKeyValue(_ layer: Int) -> UnsafePointer<Float> {
        UnsafePointer(panels.pointer + layers[layer].queryKeyValue)
    }
    func output(_ layer: Int) -> UnsafePointer<Float> { UnsafePointer(panels.pointer + layers[layer].output) }
    func gateUp(_ layer: Int) -> UnsafePointer<Float> { UnsafePointer(panels.pointer + layers[layer].gateUp) }
    func down(_ layer: Int) -> UnsafePointer<Float> { UnsafePointer(panels.pointer + layers[layer].down) }
}
