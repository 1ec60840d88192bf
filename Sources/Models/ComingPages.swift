import Kernels

/// A layer's keys and values in the pages that a step attends to. The products between the attention of the layer before and its
/// own have the time to bring them near: each panel brings its share, those of the output projection the first.
struct ComingPages: BitwiseCopyable {
    private let pieces: ComingReads.Pieces
    private let panels: Int

    /// - Parameters:
    ///   - offset: floats from a page's start to the layer's blocks.
    ///   - length: floats of these.
    ///   - weights: of any layer.
    init(
        _ addresses: UnsafePointer<UnsafeMutablePointer<Float>>, count: Int, offset: Int, length: Int,
        weights: LayerWeights
    ) {
        pieces = ComingReads.Pieces(addresses: addresses, count: count, offset: offset, length: length)
        panels =
            weights.output.panelCount + weights.gateUp.panelCount + weights.down.panelCount
            + weights.queryKeyValue.panelCount
    }

    /// The share of a product's panels, before which stand `earlier` ones of other products.
    func share(of range: Range<Int>, after earlier: Int) -> ComingReads.Pieces? {
        guard pieces.count > 0 else { return nil }
        let first = pieces.count * (earlier + range.lowerBound) / panels
        var share = pieces
        share.addresses += first
        share.count = pieces.count * (earlier + range.upperBound) / panels - first
        return share
    }
}
