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

    /// - Parameter capacity: floats that are asked for at a time, at most; by default those of the largest matrix of a layer, or
    ///   of as many of the head's rows as are packed at a time.
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
        let headRows = min(shape.vocabularySize, PolicyWeightLayout.rowsAtATime(depth: shape.hiddenSize))
        let largest = blocks.map { $0.inputs(shape) * $0.outputs(shape) }.reduce(headRows * shape.hiddenSize, max)
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
        for site in adapters.layout.layers[layer] where site.projection.block == block {
            merge(adapters, site, rows: rows)
        }
        return UnsafePointer(buffer.pointer)
    }

    /// Rows of the head [vocabulary, hidden], row-major; valid until anything else is asked for.
    func head(rows: Range<Int>) throws(Origin.Failure) -> UnsafePointer<Float> {
        let width = origin.configuration.hiddenSize
        let start = origin.layout.head + rows.lowerBound * width
        let base = try values(start..<start + rows.count * width)
        guard let adapters, let site = adapters.layout.head else { return base }
        if Origin.isInMemory { buffer.pointer.update(from: base, count: rows.count * width) }
        merge(adapters, site, rows: rows)
        return UnsafePointer(buffer.pointer)
    }

    /// Adds (alpha / rank) · B · A of a projection to those of its rows that are among the block's rows in the buffer.
    private func merge(_ adapters: Adapters, _ site: AdapterLayout.Site, rows: Range<Int>) {
        let rank = adapters.configuration.rank
        let taken = rows.clamped(to: site.firstRow..<site.firstRow + site.outputs)
        guard !taken.isEmpty else { return }
        packScaled(adapters, site)
        MatrixProduct.multiply(
            adapters.pointer + site.b + (taken.lowerBound - site.firstRow) * rank, rows: taken.count,
            rowStride: rank, packed: packed.pointer, outputs: site.inputs, depth: rank,
            into: buffer.pointer + (taken.lowerBound - rows.lowerBound) * site.inputs,
            resultStride: site.inputs, accumulating: true)
    }

    private func packScaled(_ adapters: Adapters, _ site: AdapterLayout.Site) {
        let rank = adapters.configuration.rank
        scaled.pointer.update(from: adapters.pointer + site.a, count: rank * site.inputs)
        Elementwise.scale(scaled.pointer, by: adapters.configuration.scale, count: rank * site.inputs)
        MatrixProduct.packTransposed(weight: scaled.pointer, outputs: rank, depth: site.inputs, into: packed.pointer)
    }
}

extension WeightSource<Parameters> {
    /// Columns of the head, a whole panel or what is left of the last, with the head's adapter merged in: [vocabulary, columns].
    func head(columns: Range<Int>) -> UnsafePointer<Float> {
        let (vocabulary, width) = (origin.configuration.vocabularySize, origin.configuration.hiddenSize)
        let base = origin.pointer + origin.layout.head + columns.lowerBound
        for row in 0..<vocabulary {
            (buffer.pointer + row * columns.count).update(from: base + row * width, count: columns.count)
        }
        guard let adapters, let site = adapters.layout.head else { return UnsafePointer(buffer.pointer) }
        let rank = adapters.configuration.rank
        packScaled(adapters, site)
        MatrixProduct.multiply(
            adapters.pointer + site.b, rows: vocabulary, rowStride: rank,
            packed: packed.pointer + MatrixProduct.packedCount(outputs: columns.lowerBound, depth: rank),
            outputs: columns.count, depth: rank, into: buffer.pointer, resultStride: columns.count,
            accumulating: true)
        return UnsafePointer(buffer.pointer)
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
        guard adapters.layout.head != nil else { return result }
        let width = configuration.hiddenSize
        let step = PolicyWeightLayout.rowsAtATime(depth: width)
        for first in stride(from: 0, to: configuration.vocabularySize, by: step) {
            let rows = first..<min(configuration.vocabularySize, first + step)
            (result.pointer + layout.head + first * width).update(
                from: source.head(rows: rows), count: rows.count * width)
        }
        return result
    }
}
