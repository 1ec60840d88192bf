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

    public init(_ parameters: Parameters, adapters: Adapters? = nil) {
        configuration = parameters.configuration
        offsets = TransposedOffsets(configuration)
        panels = AlignedBuffer(count: offsets.count)
        write(parameters, adapters: adapters)
    }

    /// Packs the matrices, with the adapters merged in.
    public func write(_ parameters: Parameters, adapters: Adapters? = nil) {
        let shape = configuration
        func pack(_ weight: UnsafePointer<Float>, _ outputs: Int, _ depth: Int, _ target: Int) {
            MatrixProduct.packTransposed(
                weight: weight, outputs: outputs, depth: depth, into: panels.pointer + target)
        }
        pack(parameters.pointer + parameters.layout.head, shape.vocabularySize, shape.hiddenSize, offsets.head)
        let matrices = WeightSource(parameters, adapters)
        for (layer, to) in offsets.layers.enumerated() {
            for block in ProjectionBlock.allCases {
                pack(matrices.matrix(block, layer: layer), block.outputs(shape), block.inputs(shape), to[block])
            }
        }
    }

    var head: UnsafePointer<Float> { UnsafePointer(panels.pointer + offsets.head) }

    func block(_ block: ProjectionBlock, layer: Int) -> UnsafePointer<Float> {
        UnsafePointer(panels.pointer + offsets.layers[layer][block])
    }
}

/// Offsets, in floats, of the packed matrices.
private struct TransposedOffsets {
    private(set) var layers: [BlockOffsets] = []
    private(set) var head = 0
    private(set) var count = 0

    init(_ shape: ModelConfiguration) {
        for _ in 0..<shape.layerCount {
            layers.append(BlockOffsets { matrix($0.outputs(shape), $0.inputs(shape)) })
        }
        head = matrix(shape.vocabularySize, shape.hiddenSize)
    }

    private mutating func matrix(_ outputs: Int, _ depth: Int) -> Int {
        defer { count += MatrixProduct.packedCount(outputs: depth, depth: outputs) }
        return count
    }
}
