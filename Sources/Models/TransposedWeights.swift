import Kernels
import Memory

/// A model's matrices packed for input gradients, dX = dY · W. Only the learner has them; it packs them after each
/// optimizer step and its threads read them.
// Unchecked: written by `write` alone, each tile by one thread. The learner calls it when it has awaited the tasks of an
// update, and begins those of the next, which read, after it has returned.
public final class TransposedWeights: @unchecked Sendable {
    private let configuration: ModelConfiguration
    /// Lanes of the packed matrices: floats, or pairs of bfloat16.
    let panels: AlignedBuffer<Float>
    private let places: TransposedPlaces

    public init(_ parameters: Parameters, adapters: Adapters? = nil) {
        configuration = parameters.configuration
        places = TransposedPlaces(configuration)
        panels = AlignedBuffer(count: places.matrices.laneCount, pages: .large)
        write(parameters, adapters: adapters)
    }

    /// Packs the matrices, with the adapters merged in.
    ///
    /// - Parameter perform: runs the layers and the head, which do not touch one another.
    public func write(
        _ parameters: Parameters, adapters: Adapters? = nil, perform: WeightLoop = runInTurn
    ) {
        perform(places.layers.count + 1) { tile in
            guard tile > 0 else { return writeHead(parameters, adapters) }
            let matrices = WeightSource(parameters, adapters)
            for block in ProjectionBlock.allCases {
                pack(matrices.matrix(block, layer: tile - 1), to: places.layers[tile - 1][block])
            }
        }
    }

    /// Without an adapter, from where the head stands; else a panel's columns at a time, so that it is never merged whole.
    private func writeHead(_ parameters: Parameters, _ adapters: Adapters?) {
        let place = places.head
        guard let adapters, adapters.layout.head != nil else {
            return pack(parameters.pointer + parameters.layout.head, to: place)
        }
        let step = MatrixProduct.panelWidth
        let matrices = WeightSource(parameters, adapters, capacity: place.depth * min(step, place.outputs))
        for first in stride(from: 0, to: place.outputs, by: step) {
            let columns = first..<min(place.outputs, first + step)
            let before = PackedMatrix.laneCount(
                outputs: first, depth: place.depth, precision: configuration.precision)
            PackedMatrix.packTransposed(
                matrices.head(columns: columns), outputs: columns.count, depth: place.depth,
                precision: configuration.precision, into: panels.pointer + place.offset + before)
        }
    }

    private func pack(_ weight: UnsafePointer<Float>, to place: PackedMatrixPlace) {
        PackedMatrix.packTransposed(
            weight, outputs: place.outputs, depth: place.depth, precision: configuration.precision,
            into: panels.pointer + place.offset)
    }

    var head: PackedMatrix { places.head.matrix(in: panels.pointer, configuration.precision) }

    func block(_ block: ProjectionBlock, layer: Int) -> PackedMatrix {
        places.layers[layer][block].matrix(in: panels.pointer, configuration.precision)
    }
}

/// Where the packed matrices stand.
private struct TransposedPlaces {
    let layers: [BlockPlaces]
    let head: PackedMatrixPlace
    let matrices: PackedMatrixLayout

    init(_ shape: ModelConfiguration) {
        var matrices = PackedMatrixLayout(shape.precision)
        layers = (0..<shape.layerCount).map { _ in
            BlockPlaces { matrices.place(outputs: $0.inputs(shape), depth: $0.outputs(shape)) }
        }
        head = matrices.place(outputs: shape.hiddenSize, depth: shape.vocabularySize)
        self.matrices = matrices
    }
}
