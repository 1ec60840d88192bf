import Kernels

/// Widths that follow from a configuration, in floats a row.
extension ModelConfiguration {
    /// All query heads side by side.
    public var queryWidth: Int { attentionHeadCount * headDimension }
    /// All key heads (or value heads) side by side.
    public var keyValueWidth: Int { keyValueHeadCount * headDimension }
    /// Queries, keys and values of a row, in this order.
    public var queryKeyValueWidth: Int { queryWidth + 2 * keyValueWidth }
    /// Heads that are rotated, and normalised where the architecture does that: queries, then keys, side by side.
    public var rotatedHeadCount: Int { attentionHeadCount + keyValueHeadCount }
    /// Their width.
    public var rotatedWidth: Int { queryWidth + keyValueWidth }
    /// Query heads that share a key-value head.
    public var queriesPerKeyValueHead: Int { attentionHeadCount / keyValueHeadCount }
    /// Floats of a block of keys and values of one head, which are pairs of bfloat16 in that precision.
    var keyValueBlockCount: Int {
        Attention.blockCount(headDimension: headDimension, compact: hasCompactKeyValues)
    }
    var hasCompactKeyValues: Bool { precision == .bfloat16 }
    /// Factor on query-key products.
    var attentionScale: Float { 1 / Float(headDimension).squareRoot() }
}
