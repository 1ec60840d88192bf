import Kernels
import Memory

/// A model's matrices for packing, its adapters merged in one matrix at a time, so that the merged model never stands in
/// memory whole.
///
/// Merging is deterministic: whoever packs the same weights and adapters gets the same bits.
struct WeightSource: ~Copyable {
    let parameters: Parameters
    private let adapters: Adapters?
    /// The largest matrix, and one projection's (alpha / rank) · A, as it is and packed; empty without adapters.
    private let merged: AlignedBuffer<Float>
    private let scaled: AlignedBuffer<Float>
    private let packed: AlignedBuffer<Float>

    init(_ parameters: Parameters, _ adapters: Adapters?) {
        precondition(
            adapters.map { $0.model.hasMatrices(of: parameters.configuration) } ?? true,
            "the adapters belong to another model")
        self.parameters = parameters
        self.adapters = adapters
        let shape = parameters.configuration
        let blocks = ProjectionBlock.allCases
        let rank = adapters?.configuration.rank ?? 0
        let widest = blocks.map { $0.inputs(shape) }.max() ?? 0
        let largest = blocks.map { $0.inputs(shape) * $0.outputs(shape) }.max() ?? 0
        merged = AlignedBuffer(count: adapters == nil ? 0 : largest)
        scaled = AlignedBuffer(count: rank * widest)
        packed = AlignedBuffer(count: MatrixProduct.packedCount(outputs: widest, depth: rank))
    }

    /// The matrix [outputs, inputs], row-major; valid until the next is asked for.
    func matrix(_ block: ProjectionBlock, layer: Int) -> UnsafePointer<Float> {
        let base = UnsafePointer(parameters.pointer + parameters.layout.layers[layer][block])
        guard let adapters, adapters.layout.layers[layer].contains(where: { $0.projection.block == block }) else {
            return base
        }
        let shape = parameters.configuration
        merged.pointer.update(from: base, count: block.inputs(shape) * block.outputs(shape))
        merge(adapters, block, layer: layer, into: merged.pointer)
        return UnsafePointer(merged.pointer)
    }

    /// Adds (alpha / rank) · B · A to every projection of the block that has an adapter.
    private func merge(
        _ adapters: Adapters, _ block: ProjectionBlock, layer: Int, into weight: UnsafeMutablePointer<Float>
    ) {
        let rank = adapters.configuration.rank
        for site in adapters.layout.layers[layer] where site.projection.block == block {
            scaled.pointer.update(from: adapters.pointer + site.a, count: rank * site.inputs)
            Elementwise.scale(scaled.pointer, by: adapters.configuration.scale, count: rank * site.inputs)
            MatrixProduct.packTransposed(
                weight: scaled.pointer, outputs: rank, depth: site.inputs, into: packed.pointer)
            MatrixProduct.multiply(
                adapters.pointer + site.b, rows: site.outputs, rowStride: rank, packed: packed.pointer,
                outputs: site.inputs, depth: rank, into: weight + site.firstRow * site.inputs,
                resultStride: site.inputs, accumulating: true)
        }
    }
}

extension Parameters {
    /// The weights with the adapters merged in, for export; the bits are those that passes read.
    public func merging(_ adapters: Adapters) -> Parameters {
        let result = copy()
        let source = WeightSource(self, adapters)
        for layer in layout.layers.indices {
            for block in ProjectionBlock.allCases {
                let count = block.inputs(configuration) * block.outputs(configuration)
                (result.pointer + layout.layers[layer][block])
                    .update(from: source.matrix(block, layer: layer), count: count)
            }
        }
        return result
    }
}
