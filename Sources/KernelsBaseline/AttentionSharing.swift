import CSIMD

/// What stands in the workspace of `attentionForwardSharing`, by queries: scores and then powers, in rows `scoreStride` apart;
/// the reciprocals of their sums; the queries, as factors where keys are compact, in rows `queryStride` apart; and the chains
/// over the shared blocks.
private typealias SharingWorkspace = (
    scores: UnsafeMutablePointer<Float>, scoreStride: Int, reciprocals: UnsafeMutablePointer<Float>,
    queries: UnsafeMutablePointer<Float>, queryStride: Int, chains: UnsafeMutablePointer<Float>
)

/// The floats of workspace that `attentionForwardSharing` needs for so many queries of all members together.
@inline(never)
public func attentionSharingWorkspaceCount(headDimension: Int, maximumPositions: Int, queryCount: Int) -> Int {
    let query = max(wholeVectors(headDimension), factorsCount((headDimension + 1) / 2))
    return queryCount * (scoresCount(maximumPositions) + query + chainsOfQuery * wholeVectors(headDimension))
        + wholeVectors(queryCount)
}

/// Attention of rows of several sequences that begin with the same blocks; see `Kernels.Attention.forwardSharing`.
@inline(never)
public func attentionForwardSharing(
    query: UnsafePointer<Float>, queryStride: Int, members: Int, queriesPerMember: Int,
    positions: UnsafePointer<Int>, tables: UnsafePointer<UnsafePointer<UnsafeMutablePointer<Float>>>,
    sharedBlocks: Int, headDimension: Int, scale: Float, blockOffset: Int, compact: Bool,
    output: UnsafeMutablePointer<Float>, outputStride: Int, workspace: UnsafeMutablePointer<Float>
) {
    let rows = compact ? headDimension / 2 : headDimension
    let count = members * queriesPerMember
    var blockCount = 0
    for member in 0..<members { blockCount = max(blockCount, positions[member] / blockLength + 1) }
    let scoreStride = scoresCount(blockCount * blockLength)
    let reciprocals = workspace + count * scoreStride
    let queries = reciprocals + wholeVectors(count)
    let rowStride = compact ? factorsCount(rows) : wholeVectors(rows)
    let places: SharingWorkspace = (
        workspace, scoreStride, reciprocals, queries, rowStride, queries + count * rowStride
    )
    let shared: AttentionKeys = (
        tables[0], 0, sharedBlocks, blockOffset, rows, blockOffset + rows * blockLength, wholeVectors(headDimension),
        compact
    )
    for member in 0..<members {
        for index in 0..<queriesPerMember {
            let source = query + member * queryStride + index * headDimension
            let target = queries + (member * queriesPerMember + index) * places.queryStride
            if compact {
                storeFactors(source, headDimension, into: target)
            } else {
                copy(source, headDimension, to: target)
            }
        }
    }
    scoresOfQueries(shared, places, 0, count, firstKey: 0, headDimension, scale)
    for member in 0..<members {
        let position = positions[member]
        let first = member * queriesPerMember
        scoresOfQueries(
            own(shared, tables[member], position), places, first, queriesPerMember,
            firstKey: sharedBlocks * blockLength,
            headDimension, scale)
        for index in first..<first + queriesPerMember {
            reciprocals[index] =
                1 / powers(workspace + index * places.scoreStride, position + 1, compact: compact).kept
        }
    }
    chainsOfAll(shared, places, count, headDimension)
    for member in 0..<members {
        outputsOfMember(
            own(shared, tables[member], positions[member]), places, member * queriesPerMember, queriesPerMember,
            firstKey: sharedBlocks * blockLength, position: positions[member], headDimension,
            into: output + member * outputStride)
    }
}

@inline(__always)
private func copy(_ source: UnsafePointer<Float>, _ count: Int, to target: UnsafeMutablePointer<Float>) {
    var first = 0
    while first < count {
        store(loadSome(source + first, count - first), target + first)
        first += lanes
    }
}

/// The blocks of a sequence behind the shared ones, up to a position's.
@inline(__always)
private func own(
    _ shared: AttentionKeys, _ table: UnsafePointer<UnsafeMutablePointer<Float>>, _ position: Int
) -> AttentionKeys {
    var keys = shared
    keys.blocks = table + shared.blockCount
    keys.firstBlock = shared.blockCount
    keys.blockCount = position / blockLength + 1 - shared.blockCount
    return keys
}

@inline(__always)
private func queries(
    _ places: SharingWorkspace, _ first: Int, keys: Int, _ headDimension: Int, _ scale: Float
) -> AttentionQueries {
    (
        UnsafePointer(places.queries + first * places.queryStride), places.queryStride, headDimension, scale, keys, 0,
        places.scoreStride, UnsafePointer(places.reciprocals + first)
    )
}

/// Scores of queries with keys from `firstKey` on.
@inline(__always)
private func scoresOfQueries(
    _ keys: AttentionKeys, _ places: SharingWorkspace, _ first: Int, _ count: Int, firstKey: Int, _ headDimension: Int,
    _ scale: Float
) {
    var index = 0
    while index < count {
        let tile = nextQueries(&index, of: count)
        let query = first + index
        let queries = queries(places, query, keys: 0, headDimension, scale)
        let result = places.scores + query * places.scoreStride + firstKey
        if keys.compact {
            scores(of: tile, keys, queries, (index == 0, nil, 0, 0), compact: true, into: result)
        } else {
            scores(of: tile, keys, queries, (index == 0, nil, 0, 0), compact: false, into: result)
        }
        index += tile
    }
}

/// Chains of all members' queries over the shared values.
@inline(__always)
private func chainsOfAll(_ keys: AttentionKeys, _ places: SharingWorkspace, _ count: Int, _ headDimension: Int) {
    var index = 0
    while index < count {
        let tile = count >= queryTile ? nextQueries(&index, of: count) : 1
        let weights = UnsafePointer(places.scores + index * places.scoreStride)
        let result = places.chains + index * chainsOfQuery * keys.valueStride
        if keys.compact {
            chains(of: tile, keys, places.scoreStride, weights, headDimension, compact: true, into: result)
        } else {
            chains(of: tile, keys, places.scoreStride, weights, headDimension, compact: false, into: result)
        }
        index += tile
    }
}

@inline(__always)
private func chains(
    of tile: Int, _ keys: AttentionKeys, _ scoreStride: Int, _ weights: UnsafePointer<Float>, _ headDimension: Int,
    compact: Bool, into chains: UnsafeMutablePointer<Float>
) {
    var keys = keys
    keys.compact = compact
    var column = 0
    while column < headDimension {
        let columns = valueColumns(column, of: headDimension)
        if tile == queryTile {
            chainsOfTile(keys, scoreStride, weights, columns, into: chains)
        } else {
            chainsOfOne(keys, weights, columns, into: chains)
        }
        column += tileWidth
    }
}

/// Outputs of one member's queries, which go on from their chains over the shared values with its own.
@inline(__always)
private func outputsOfMember(
    _ keys: AttentionKeys, _ places: SharingWorkspace, _ first: Int, _ count: Int, firstKey: Int, position: Int,
    _ headDimension: Int, into output: UnsafeMutablePointer<Float>
) {
    var index = 0
    while index < count {
        let tile = nextQueries(&index, of: count)
        let query = first + index
        let queries = queries(places, query, keys: position + 1 - firstKey, headDimension, 0)
        let weights = UnsafePointer(places.scores + query * places.scoreStride)
        let chains = UnsafePointer(places.chains + query * chainsOfQuery * keys.valueStride)
        let result = output + index * headDimension
        if keys.compact {
            outputs(
                of: tile, keys, queries, (false, nil, 0, 0), compact: true, weights, from: chains, into: result,
                headDimension)
        } else {
            outputs(
                of: tile, keys, queries, (false, nil, 0, 0), compact: false, weights, from: chains, into: result,
                headDimension)
        }
        index += tile
    }
}
