import CSIMD

/// Outputs of a band of output gradients, [depth][12]: a multiple of every variant's tile height.
let bandWidth = 12

/// A tile of a weight gradient, added to what `result` holds: outputs from the band's at `a`, `tileWidth` columns of a panel of
/// inputs. Meanwhile the tile of results at `next` and what stands at `ahead`, `aheadStride` a step, are brought into the
/// second-level cache.
typealias GradientTile = (
    a: UnsafePointer<Float>, panel: UnsafePointer<Float>, depth: Int, result: UnsafeMutablePointer<Float>,
    resultStride: Int, columns: Int, next: UnsafeMutablePointer<Float>, ahead: UnsafePointer<Float>, aheadStride: Int
)

/// A band to pack: the first twelve of `columns` columns of `rows` rows at `source`.
typealias BandPacking = (
    source: UnsafePointer<Float>, rowStride: Int, rows: Int, columns: Int, destination: UnsafeMutablePointer<Float>
)

/// Packs a band by itself. Whole vectors are written, of which the next row overwrites what is too much.
@inline(__always)
func packBand(_ packing: BandPacking, pairs: Bool, apart: Bool) {
    packRows(
        packing.source, rows: packing.rows, rowStride: packing.rowStride, columns: packing.columns, vectors: 1,
        into: packing.destination, stride: bandWidth, pairs: pairs, apart: apart)
}

/// A tile of `height` outputs, fewer than the variant's largest tile has: a strip of a product that is one tile long.
@inline(__always)
func addLowTile(_ tile: GradientTile, height: Int, pairs: Bool) {
    multiplyStrip(
        (
            a: tile.a, rowStride: 1, depthStride: bandWidth, panel: tile.panel, panelStride: 0, depth: tile.depth,
            result: tile.result, resultStride: tile.resultStride, columns: tile.columns, reloading: true,
            following: tile.next,
            ahead: (
                tile.ahead, 0, depth: 0, columns: tileWidth, tile.aheadStride, pieces: nil, pieceCount: 0,
                pieceOffset: 0, isOwn: false
            )
        ), height: height, pairs: pairs)
}

// Whole tiles have loops of their own: their rows of A stand together, and where rows are few, what a strip works out for many
// tiles takes as long as the tile.

#if KERNELS_AVX512
    /// A tile of twelve outputs.
    @inline(__always)
    func addWholeTile(_ tile: GradientTile, pairs: Bool) {
        if pairs { addPairTile(tile) } else { addFloatTile(tile) }
    }

    /// The same, while another band is packed in place of what is brought ahead: whole vectors of whole pairs of rows.
    @inline(__always)
    func addWholeTile(_ tile: GradientTile, packing: BandPacking, pairs: Bool) {
        if pairs { addPairTile(tile, packing) } else { addFloatTile(tile, packing) }
    }

    @inline(never)
    private func addPairTile(_ tile: GradientTile) { addTwelve(tile, nothing(tile), packs: false, pairs: true) }

    @inline(never)
    private func addFloatTile(_ tile: GradientTile) { addTwelve(tile, nothing(tile), packs: false, pairs: false) }

    @inline(never)
    private func addPairTile(_ tile: GradientTile, _ packing: BandPacking) {
        addTwelve(tile, packing, packs: true, pairs: true)
    }

    @inline(never)
    private func addFloatTile(_ tile: GradientTile, _ packing: BandPacking) {
        addTwelve(tile, packing, packs: true, pairs: false)
    }

    @inline(__always)
    private func nothing(_ tile: GradientTile) -> BandPacking { (tile.a, 0, 0, 0, tile.result) }

    @inline(__always)
    private func addTwelve(_ tile: GradientTile, _ packing: BandPacking, packs: Bool, pairs: Bool) {
        let offsets: RowOffsets = (1, 2, 3)
        let results = rowOffsets(tile.resultStride)
        let result4 = tile.result + 4 * tile.resultStride
        let result8 = tile.result + 8 * tile.resultStride
        var rows0 = startFour(tile.result, results, columns: tile.columns, reloading: true)
        var rows4 = startFour(result4, results, columns: tile.columns, reloading: true)
        var rows8 = startFour(result8, results, columns: tile.columns, reloading: true)
        var a = tile.a
        var panel = tile.panel
        var next = tile.next
        var ahead = tile.ahead
        var source = packing.source
        var packed = packing.destination
        let sourceStride = pairs ? 2 * packing.rowStride : packing.rowStride
        let first = min(tileHeight, tile.depth)
        for _ in 0..<first {
            addStep(a, a + 4, a + 8, offsets, panel, &rows0, &rows4, &rows8, pairs: pairs)
            prefetchRow(next)
            next += tile.resultStride
            if packs {
                packRow(source, packing.rowStride, into: packed, pairs: pairs)
                source += sourceStride
                packed += bandWidth
            } else {
                prefetch(ahead)
                ahead += tile.aheadStride
            }
            a += bandWidth
            panel += panelWidth
        }
        for _ in first..<tile.depth {
            addStep(a, a + 4, a + 8, offsets, panel, &rows0, &rows4, &rows8, pairs: pairs)
            if packs {
                packRow(source, packing.rowStride, into: packed, pairs: pairs)
                source += sourceStride
                packed += bandWidth
            } else {
                prefetch(ahead)
                ahead += tile.aheadStride
            }
            a += bandWidth
            panel += panelWidth
        }
        storeFour(rows0, tile.result, results, columns: tile.columns)
        storeFour(rows4, result4, results, columns: tile.columns)
        storeFour(rows8, result8, results, columns: tile.columns)
    }

    /// A vector of a row, or of `pairs` of two rows.
    @inline(__always)
    private func packRow(
        _ source: UnsafePointer<Float>, _ rowStride: Int, into packed: UnsafeMutablePointer<Float>, pairs: Bool
    ) {
        let low = load(source)
        store(pairs ? pairsOfRows(low: low, high: load(source + rowStride)) : low, packed)
    }
#elseif KERNELS_FMA
    /// A tile of six outputs, of single values.
    @inline(never)
    func addWholeTile(_ tile: GradientTile) {
        let offsets: RowOffsets = (1, 2, 3)
        let results = rowOffsets(tile.resultStride)
        let result4 = tile.result + 4 * tile.resultStride
        let result5 = result4 + tile.resultStride
        var rows = startFour(tile.result, results, columns: tile.columns, reloading: true)
        var row4 = startRow(result4, columns: tile.columns, reloading: true)
        var row5 = startRow(result5, columns: tile.columns, reloading: true)
        var a = tile.a
        var panel = tile.panel
        var next = tile.next
        var ahead = tile.ahead
        let first = min(tileHeight, tile.depth)
        for _ in 0..<first {
            addStep(a, a + 4, offsets, panel, &rows, &row4, &row5, pairs: false)
            prefetchRow(next)
            next += tile.resultStride
            prefetch(ahead)
            ahead += tile.aheadStride
            a += bandWidth
            panel += panelWidth
        }
        for _ in first..<tile.depth {
            addStep(a, a + 4, offsets, panel, &rows, &row4, &row5, pairs: false)
            prefetch(ahead)
            ahead += tile.aheadStride
            a += bandWidth
            panel += panelWidth
        }
        storeFour(rows, tile.result, results, columns: tile.columns)
        storeRow(row4, result4, columns: tile.columns)
        storeRow(row5, result5, columns: tile.columns)
    }
#endif
