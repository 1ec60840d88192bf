/// Positions of a block of keys and values, and so one lane a key.
let blockLength = lanes

/// Queries that pass over the keys together where there are enough.
let queryTile = 4

/// `headDimension` rounded up to whole vectors: the length of a row of values.
@inline(__always)
func padded(_ headDimension: Int) -> Int {
    (headDimension + lanes - 1) / lanes * lanes
}

/// Writes the key and value of one position; see `Kernels.Attention.store`.
@inline(never)
public func attentionStore(
    key: UnsafePointer<Float>, value: UnsafePointer<Float>, headDimension: Int, slot: Int,
    block: UnsafeMutablePointer<Float>
) {
    for d in 0..<headDimension {
        block[d * blockLength + slot] = key[d]
    }
    let values = block + headDimension * blockLength + slot * padded(headDimension)
    var d = 0
    while d < headDimension {
        store(loadSome(value + d, headDimension - d), values + d)
        d += lanes
    }
}

/// The floats of workspace that `attentionForward` needs for keys at positions `0 ..< maximumPositions`.
@inline(never)
public func attentionWorkspaceCount(maximumPositions: Int) -> Int {
    queryTile * (padded(maximumPositions) + lanes)
}
