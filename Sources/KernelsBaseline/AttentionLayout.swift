import CSIMD

/// Positions of a block of keys and values, and so one lane a key.
let blockLength = lanes

/// Queries that pass over the keys together where there are enough.
let queryTile = 4

/// `count` rounded up to whole vectors.
@inline(__always)
func wholeVectors(_ count: Int) -> Int {
    (count + lanes - 1) / lanes * lanes
}

/// Writes the key and value of one position; see `Kernels.Attention.store`.
@inline(never)
public func attentionStore(
    key: UnsafePointer<Float>, value: UnsafePointer<Float>, headDimension: Int, slot: Int, compact: Bool,
    block: UnsafeMutablePointer<Float>
) {
    if compact {
        storeCompact(key: key, value: value, headDimension: headDimension, slot: slot, block: block)
        return
    }
    for d in 0..<headDimension {
        block[d * blockLength + slot] = key[d]
    }
    let values = block + headDimension * blockLength + slot * wholeVectors(headDimension)
    var d = 0
    while d < headDimension {
        store(loadSome(value + d, headDimension - d), values + d)
        d += lanes
    }
}

/// As pairs of bfloat16: two dimensions of the key to a lane; the value to one half of the lanes that it shares with its
/// neighbour's.
@inline(__always)
private func storeCompact(
    key: UnsafePointer<Float>, value: UnsafePointer<Float>, headDimension: Int, slot: Int,
    block: UnsafeMutablePointer<Float>
) {
    let values = block + headDimension / 2 * blockLength + slot / 2 * wholeVectors(headDimension)
    var d = 0
    while d < headDimension {
        let left = headDimension - d
        let pairs = pairsOfNeighbours(loadSome(key + d, left), loadSome(key + d + lanes, left - lanes))
        for lane in 0..<min(lanes, left / 2) {
            block[(d / 2 + lane) * blockLength + slot] = pairs[lane]
        }
        storeHalf(loadSome(value + d, left), slot, values + d, left)
        storeHalf(loadSome(value + d + lanes, left - lanes), slot, values + d + lanes, left - lanes)
        d += 2 * lanes
    }
}

/// Values into the low halves of lanes where `slot` is even, else into the high ones.
@inline(__always)
private func storeHalf(_ value: Vector, _ slot: Int, _ destination: UnsafeMutablePointer<Float>, _ count: Int) {
    guard count > 0 else { return }
    let present = load(destination)
    store(
        slot % 2 == 0
            ? pairsOfRows(low: value, high: highValues(present)) : pairsOfRows(low: lowValues(present), high: value),
        destination)
}

/// The floats of workspace that `attentionForward` needs for keys at positions `0 ..< maximumPositions`: scores of a tile of
/// queries, a vector of reciprocals, and the queries as factors.
@inline(never)
public func attentionWorkspaceCount(headDimension: Int, maximumPositions: Int) -> Int {
    queryTile * (scoresCount(maximumPositions) + factorsCount((headDimension + 1) / 2)) + lanes
}

/// The floats that a query's scores of so many keys take: whole blocks, and of those as many as factors are made of at a time.
@inline(__always)
func scoresCount(_ keys: Int) -> Int {
    (keys + 2 * blockLength - 1) / (2 * blockLength) * (2 * blockLength)
}
