import CSIMD

/// Outputs of a strip of output gradients, [depth][12]: a multiple of every variant's tile height.
let stripWidth = 12

/// A tile of a weight gradient, added to what `result` holds: outputs from the strip's at `a`, `tileWidth` columns of a panel of
/// inputs. Meanwhile the tile of results at `next` and what stands at `ahead`, `aheadStride` a step, are brought into the
/// second-level cache.
typealias GradientTile = (
    a: UnsafePointer<Float>, panel: UnsafePointer<Float>, depth: Int, result: UnsafeMutablePointer<Float>,
    resultStride: Int, columns: Int, next: UnsafeMutablePointer<Float>, ahead: UnsafePointer<Float>, aheadStride: Int
)

/// A strip to pack: the first twelve of `columns` columns of `rows` rows at `source`.
typealias StripPacking = (
    source: UnsafePointer<Float>, rowStride: Int, rows: Int, columns: Int, destination: UnsafeMutablePointer<Float>
)

/// Packs a strip by itself. Whole vectors are written, of which the next row overwrites what is too much.
@inline(__always)
func packStrip(_ packing: StripPacking, pairs: Bool, apart: Bool) {
    packRows(
        packing.source, rows: packing.rows, rowStride: packing.rowStride, columns: packing.columns, vectors: 1,
        into: packing.destination, stride: stripWidth, pairs: pairs, apart: apart)
}

/// A tile of `height` outputs, fewer than the variant's largest tile has.
@inline(__always)
func addLowTile(_ tile: GradientTile, height: Int, pairs: Bool) {
    multiplyStrip(
        (
            a: tile.a, rowStride: 1, depthStride: stripWidth, panel: tile.panel, panelStride: 0, depth: tile.depth,
            result: tile.result, resultStride: tile.resultStride, columns: tile.columns, reloading: true,
            following: tile.next, ahead: tile.ahead, aheadPanelStride: 0, aheadColumns: tileWidth,
            aheadStride: tile.aheadStride
        ), height: height, pairs: pairs)
}

// Each of the following is a function of its own: of two such loops in one, the compiler leaves the question which it is inside.

#if KERNELS_AVX512
    /// A tile of twelve outputs.
    @inline(__always)
    func addWholeTile(_ tile: GradientTile, pairs: Bool) {
        if pairs { addPairTile(tile) } else { addFloatTile(tile) }
    }

    /// The same, while another strip is packed: whole vectors of whole pairs of rows.
    @inline(__always)
    func addWholeTile(_ tile: GradientTile, packing: StripPacking, pairs: Bool) {
        if pairs { addPairTile(tile, packing: packing) } else { addFloatTile(tile, packing: packing) }
    }

    @inline(never)
    private func addPairTile(_ tile: GradientTile) { addTwelve(tile, packing: nil, pairs: true) }

    @inline(never)
    private func addFloatTile(_ tile: GradientTile) { addTwelve(tile, packing: nil, pairs: false) }

    @inline(never)
    private func addPairTile(_ tile: GradientTile, packing: StripPacking) {
        addTwelve(tile, packing: packing, pairs: true)
    }

    @inline(never)
    private func addFloatTile(_ tile: GradientTile, packing: StripPacking) {
        addTwelve(tile, packing: packing, pairs: false)
    }

    /// The lines of the next tile of results come in the first steps, two a step; with all of them at once the tile would begin
    /// late.
    @inline(__always)
    private func addTwelve(_ tile: GradientTile, packing: StripPacking?, pairs: Bool) {
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
        var source = packing?.source ?? tile.a
        var packed = packing?.destination ?? tile.result
        let rowStride = packing?.rowStride ?? 0
        let first = min(tileHeight, tile.depth)
        for _ in 0..<first {
            addStep(a, panel, &rows0, &rows4, &rows8, pairs: pairs)
            prefetchRow(next)
            next += tile.resultStride
            if packing == nil {
                prefetch(ahead)
                ahead += tile.aheadStride
            } else {
                packRow(source, rowStride, into: packed, pairs: pairs)
                source += pairs ? 2 * rowStride : rowStride
                packed += stripWidth
            }
            a += stripWidth
            panel += panelWidth
        }
        for _ in first..<tile.depth {
            addStep(a, panel, &rows0, &rows4, &rows8, pairs: pairs)
            if packing == nil {
                prefetch(ahead)
                ahead += tile.aheadStride
            } else {
                packRow(source, rowStride, into: packed, pairs: pairs)
                source += pairs ? 2 * rowStride : rowStride
                packed += stripWidth
            }
            a += stripWidth
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

    @inline(__always)
    private func addStep(
        _ a: UnsafePointer<Float>, _ panel: UnsafePointer<Float>, _ rows0: inout FourRows, _ rows4: inout FourRows,
        _ rows8: inout FourRows, pairs: Bool
    ) {
        let weights = loadRow(panel)
        addFour(a, (1, 2, 3), weights, to: &rows0, pairs: pairs)
        addFour(a + 4, (1, 2, 3), weights, to: &rows4, pairs: pairs)
        addFour(a + 8, (1, 2, 3), weights, to: &rows8, pairs: pairs)
    }
#elseif KERNELS_FMA
    /// A tile of six outputs, of single values. The lines of the next tile of results come in the first steps.
    @inline(never)
    func addWholeTile(_ tile: GradientTile) {
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
            addStep(a, panel, &rows, &row4, &row5)
            prefetchRow(next)
            next += tile.resultStride
            prefetch(ahead)
            ahead += tile.aheadStride
            a += stripWidth
            panel += panelWidth
        }
        for _ in first..<tile.depth {
            addStep(a, panel, &rows, &row4, &row5)
            prefetch(ahead)
            ahead += tile.aheadStride
            a += stripWidth
            panel += panelWidth
        }
        storeFour(rows, tile.result, results, columns: tile.columns)
        storeRow(row4, result4, columns: tile.columns)
        storeRow(row5, result5, columns: tile.columns)
    }

    @inline(__always)
    private func addStep(
        _ a: UnsafePointer<Float>, _ panel: UnsafePointer<Float>, _ rows: inout FourRows, _ row4: inout TileRow,
        _ row5: inout TileRow
    ) {
        let weights = loadRow(panel)
        addFour(a, (1, 2, 3), weights, to: &rows, pairs: false)
        addRow(a[4], weights, to: &row4, pairs: false)
        addRow(a[5], weights, to: &row5, pairs: false)
    }
#endif
