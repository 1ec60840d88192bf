import Kernels
import Memory

/// A model's matrices for packing, its adapters merged in some rows at a time, so that neither the merged model nor one that
/// stands in files is ever in memory whole.
///
/// Merging is deterministic: whoever packs the same weights and adapters gets the same bits, whatever rows are taken at a time.
struct WeightSource<Origin: WeightOrigin>: ~Copyable {
    let origin: Origin
    private let adapters: Adapters?
    /// Rows as they are asked for, where they do not stand in memory as they are.
    private let buffer: AlignedBuffer<Float>
    /// One projection's (alpha / rank) · A, as it is and packed; empty without adapters.
    private let scaled: AlignedBuffer<Float>
    private let packed: AlignedBuffer<Float>

    /// - Parameter capacity: floats that are asked for at a time, at most; by default those of the largest matrix of a layer.
    init(_ origin: Origin, _ adapters: Adapters?, capacity: Int? = nil) {
        precondition(
            adapters.map { $0.model.hasMatrices(of: origin.configuration) } ?? true,
            "the adapters belong to another model")
        self.origin = origin
        self.adapters = adapters
        let shape = origin.configuration
        let blocks = ProjectionBlock.allCases
        let rank = adapters?.configuration.rank ?? 0
        let widest = blocks.map { $0.inputs(shape) }.max() ?? 0
        let largest = blocks.map { $0.inputs(shape) * $0.outputs(shape) }.max() ?? 0
        buffer = AlignedBuffer(count: adapters == nil && Origin.isInMemory ? 0 : capacity ?? largest)
        scaled = AlignedBuffer(count: rank * widest)
        packed = AlignedBuffer(count: MatrixProduct.packedCount(outputs: widest, depth: rank))
    }

    /// Elements of the vector that the layout describes; valid until anything else is asked for.
    func values(_ range: Range<Int>) throws(Origin.Failure) -> UnsafePointer<Float> {
        try origin.values(range, buffer: buffer.pointer)
    }

    /// Rows of the matrix [outputs, inputs], all by default, row-major; valid until anything else is asked for.
    func matrix(
        _ block: ProjectionBlock, layer: Int, rows: Range<Int>? = nil
    ) throws(Origin.Failure) -> UnsafePointer<Float> {
        let shape = origin.configuration
        let rows = rows ?? 0..<block.outputs(shape)
        let start = origin.layout.layers[layer][block] + rows.lowerBound * block.inputs(shape)
        let count = rows.count * block.inputs(shape)
        let base = try values(start..<start + count)
        guard let adapters, adapters.layout.layers[layer].contains(where: { $0.projection.block == block }) else {
            return base
        }
        if Origin.isInMemory { buffer.pointer.update(from: base, count: count) }
        merge(adapters, block, layer: layer, rows: rows)
        return UnsafePointer(buffer.pointer)
    }

    /// Adds (alpha / rank) · B · A to the rows of every projection of the block that has an adapter.
    private func merge(_ adapters: Adapters, _ block: ProjectionBlock, layer: Int, rows: Range<Int>) {
        let rank = adapters.configuration.rank
        for site in adapters.layout.layers[layer] where site.projection.block == block {
            let taken = rows.clamped(to: site.firstRow..<site.firstRow + site.outputs)
            guard !taken.isEmpty else { continue }
            scaled.pointer.update(from: adapters.pointer + site.a, count: rank * site.inputs)
            Elementwise.scale(scaled.pointer, by: adapters.configuration.scale, count: rank * site.inputs)
            MatrixProduct.packTransposed(
                weight: scaled.pointer, outputs: rank, depth: site.inputs, into: packed.pointer)
            MatrixProduct.multiply(
                adapters.pointer + site.b + (taken.lowerBound - site.firstRow) * rank, rows: taken.count,
                rowStride: rank, packed: packed.pointer, outputs: site.inputs, depth: rank,
                into: buffer.pointer + (taken.lowerBound - rows.lowerBound) * site.inputs,
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
