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

/// A tile of `height` outputs: a strip of a product that is one tile long.
@inline(__always)
func addTile(_ tile: GradientTile, height: Int, pairs: Bool) {
    multiplyStrip(
        (
            a: tile.a, rowStride: 1, depthStride: bandWidth, panel: tile.panel, panelStride: 0, depth: tile.depth,
            result: tile.result, resultStride: tile.resultStride, columns: tile.columns, reloading: true,
            following: tile.next, ahead: tile.ahead, aheadPanelStride: 0, aheadColumns: tileWidth,
            aheadStride: tile.aheadStride
        ), height: height, pairs: pairs)
}

#if KERNELS_AVX512
    /// A tile of twelve outputs, while another band is packed in place of what is brought ahead: whole vectors of whole pairs of
    /// rows.
    @inline(__always)
    func addTile(_ tile: GradientTile, packing: BandPacking, pairs: Bool) {
        if pairs { addPairTile(tile, packing) } else { addFloatTile(tile, packing) }
    }

    @inline(never)
    private func addPairTile(_ tile: GradientTile, _ packing: BandPacking) {
        addTwelve(tile, packing, pairs: true)
    }

    @inline(never)
    private func addFloatTile(_ tile: GradientTile, _ packing: BandPacking) {
        addTwelve(tile, packing, pairs: false)
    }

    @inline(__always)
    private func addTwelve(_ tile: GradientTile, _ packing: BandPacking, pairs: Bool) {
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
        var source = packing.source
        var packed = packing.destination
        let sourceStride = pairs ? 2 * packing.rowStride : packing.rowStride
        let first = min(tileHeight, tile.depth)
        for _ in 0..<first {
            addStep(a, a + 4, a + 8, offsets, panel, &rows0, &rows4, &rows8, pairs: pairs)
            prefetchRow(next)
            next += tile.resultStride
            packRow(source, packing.rowStride, into: packed, pairs: pairs)
            source += sourceStride
            packed += bandWidth
            a += bandWidth
            panel += panelWidth
        }
        for _ in first..<tile.depth {
            addStep(a, a + 4, a + 8, offsets, panel, &rows0, &rows4, &rows8, pairs: pairs)
            packRow(source, packing.rowStride, into: packed, pairs: pairs)
            source += sourceStride
            packed += bandWidth
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
#endif
