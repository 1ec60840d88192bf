import CSIMD

/// Outputs of a strip of output gradients, [depth][12]: a multiple of every variant's tile height.
let stripWidth = 12

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

#if KERNELS_AVX512
    /// A tile of twelve outputs.
    @inline(__always)
    func multiplyStrip(_ tile: Tile, pairs: Bool) {
        if pairs { multiplyStripPairs(tile) } else { multiplyStripFloats(tile) }
    }

    /// The same, while another strip is packed: whole vectors of whole pairs of rows.
    @inline(__always)
    func multiplyStrip(_ tile: Tile, packing: StripPacking, pairs: Bool) {
        if pairs { multiplyStripPairs(tile, packing: packing) } else { multiplyStripFloats(tile, packing: packing) }
    }

    @inline(never)
    private func multiplyStripPairs(_ tile: Tile) { strip12(tile, pairs: true) }

    @inline(never)
    private func multiplyStripFloats(_ tile: Tile) { strip12(tile, pairs: false) }

    @inline(never)
    private func multiplyStripPairs(_ tile: Tile, packing: StripPacking) {
        packingStrip12(tile, packing: packing, pairs: true)
    }

    @inline(never)
    private func multiplyStripFloats(_ tile: Tile, packing: StripPacking) {
        packingStrip12(tile, packing: packing, pairs: false)
    }

    @inline(__always)
    private func strip12(_ tile: Tile, pairs: Bool) {
        var row0 = startRow(tile, 0)
        var row1 = startRow(tile, 1)
        var row2 = startRow(tile, 2)
        var row3 = startRow(tile, 3)
        var row4 = startRow(tile, 4)
        var row5 = startRow(tile, 5)
        var row6 = startRow(tile, 6)
        var row7 = startRow(tile, 7)
        var row8 = startRow(tile, 8)
        var row9 = startRow(tile, 9)
        var row10 = startRow(tile, 10)
        var row11 = startRow(tile, 11)
        var a = tile.a
        var panel = tile.panel
        var next = tile.next
        var ahead = tile.ahead
        let first = min(tileHeight, tile.depth)
        for _ in 0..<first {
            let weights = loadRow(panel)
            addRow(a[0], weights, to: &row0, pairs: pairs)
            addRow(a[1], weights, to: &row1, pairs: pairs)
            addRow(a[2], weights, to: &row2, pairs: pairs)
            addRow(a[3], weights, to: &row3, pairs: pairs)
            addRow(a[4], weights, to: &row4, pairs: pairs)
            addRow(a[5], weights, to: &row5, pairs: pairs)
            addRow(a[6], weights, to: &row6, pairs: pairs)
            addRow(a[7], weights, to: &row7, pairs: pairs)
            addRow(a[8], weights, to: &row8, pairs: pairs)
            addRow(a[9], weights, to: &row9, pairs: pairs)
            addRow(a[10], weights, to: &row10, pairs: pairs)
            addRow(a[11], weights, to: &row11, pairs: pairs)
            prefetch(next)
            prefetch(next + tileWidth - 1)
            next += tile.resultStride
            prefetch(ahead)
            ahead += tile.aheadStride
            a += stripWidth
            panel += panelWidth
        }
        for _ in first..<tile.depth {
            let weights = loadRow(panel)
            addRow(a[0], weights, to: &row0, pairs: pairs)
            addRow(a[1], weights, to: &row1, pairs: pairs)
            addRow(a[2], weights, to: &row2, pairs: pairs)
            addRow(a[3], weights, to: &row3, pairs: pairs)
            addRow(a[4], weights, to: &row4, pairs: pairs)
            addRow(a[5], weights, to: &row5, pairs: pairs)
            addRow(a[6], weights, to: &row6, pairs: pairs)
            addRow(a[7], weights, to: &row7, pairs: pairs)
            addRow(a[8], weights, to: &row8, pairs: pairs)
            addRow(a[9], weights, to: &row9, pairs: pairs)
            addRow(a[10], weights, to: &row10, pairs: pairs)
            addRow(a[11], weights, to: &row11, pairs: pairs)
            prefetch(ahead)
            ahead += tile.aheadStride
            a += stripWidth
            panel += panelWidth
        }
        storeRow(row0, tile, 0)
        storeRow(row1, tile, 1)
        storeRow(row2, tile, 2)
        storeRow(row3, tile, 3)
        storeRow(row4, tile, 4)
        storeRow(row5, tile, 5)
        storeRow(row6, tile, 6)
        storeRow(row7, tile, 7)
        storeRow(row8, tile, 8)
        storeRow(row9, tile, 9)
        storeRow(row10, tile, 10)
        storeRow(row11, tile, 11)
    }

    @inline(__always)
    private func packingStrip12(_ tile: Tile, packing: StripPacking, pairs: Bool) {
        var row0 = startRow(tile, 0)
        var row1 = startRow(tile, 1)
        var row2 = startRow(tile, 2)
        var row3 = startRow(tile, 3)
        var row4 = startRow(tile, 4)
        var row5 = startRow(tile, 5)
        var row6 = startRow(tile, 6)
        var row7 = startRow(tile, 7)
        var row8 = startRow(tile, 8)
        var row9 = startRow(tile, 9)
        var row10 = startRow(tile, 10)
        var row11 = startRow(tile, 11)
        var a = tile.a
        var panel = tile.panel
        var next = tile.next
        var source = packing.source
        var packed = packing.destination
        let first = min(tileHeight, tile.depth)
        for _ in 0..<first {
            let weights = loadRow(panel)
            addRow(a[0], weights, to: &row0, pairs: pairs)
            addRow(a[1], weights, to: &row1, pairs: pairs)
            addRow(a[2], weights, to: &row2, pairs: pairs)
            addRow(a[3], weights, to: &row3, pairs: pairs)
            addRow(a[4], weights, to: &row4, pairs: pairs)
            addRow(a[5], weights, to: &row5, pairs: pairs)
            addRow(a[6], weights, to: &row6, pairs: pairs)
            addRow(a[7], weights, to: &row7, pairs: pairs)
            addRow(a[8], weights, to: &row8, pairs: pairs)
            addRow(a[9], weights, to: &row9, pairs: pairs)
            addRow(a[10], weights, to: &row10, pairs: pairs)
            addRow(a[11], weights, to: &row11, pairs: pairs)
            prefetch(next)
            prefetch(next + tileWidth - 1)
            next += tile.resultStride
            let low = load(source)
            store(pairs ? pairsOfRows(low: low, high: load(source + packing.rowStride)) : low, packed)
            source += pairs ? 2 * packing.rowStride : packing.rowStride
            packed += stripWidth
            a += stripWidth
            panel += panelWidth
        }
        for _ in first..<tile.depth {
            let weights = loadRow(panel)
            addRow(a[0], weights, to: &row0, pairs: pairs)
            addRow(a[1], weights, to: &row1, pairs: pairs)
            addRow(a[2], weights, to: &row2, pairs: pairs)
            addRow(a[3], weights, to: &row3, pairs: pairs)
            addRow(a[4], weights, to: &row4, pairs: pairs)
            addRow(a[5], weights, to: &row5, pairs: pairs)
            addRow(a[6], weights, to: &row6, pairs: pairs)
            addRow(a[7], weights, to: &row7, pairs: pairs)
            addRow(a[8], weights, to: &row8, pairs: pairs)
            addRow(a[9], weights, to: &row9, pairs: pairs)
            addRow(a[10], weights, to: &row10, pairs: pairs)
            addRow(a[11], weights, to: &row11, pairs: pairs)
            let low = load(source)
            store(pairs ? pairsOfRows(low: low, high: load(source + packing.rowStride)) : low, packed)
            source += pairs ? 2 * packing.rowStride : packing.rowStride
            packed += stripWidth
            a += stripWidth
            panel += panelWidth
        }
        storeRow(row0, tile, 0)
        storeRow(row1, tile, 1)
        storeRow(row2, tile, 2)
        storeRow(row3, tile, 3)
        storeRow(row4, tile, 4)
        storeRow(row5, tile, 5)
        storeRow(row6, tile, 6)
        storeRow(row7, tile, 7)
        storeRow(row8, tile, 8)
        storeRow(row9, tile, 9)
        storeRow(row10, tile, 10)
        storeRow(row11, tile, 11)
    }
#elseif KERNELS_FMA
    /// A tile of six outputs with `tileWidth` inputs, of single values: see `Tile`. The strip's next tile of results comes nearer
    /// from its first lanes on.
    @inline(never)
    func multiplyStrip(_ tile: Tile) {
        var row0 = startRow(tile, 0)
        var row1 = startRow(tile, 1)
        var row2 = startRow(tile, 2)
        var row3 = startRow(tile, 3)
        var row4 = startRow(tile, 4)
        var row5 = startRow(tile, 5)
        var a = tile.a
        var panel = tile.panel
        var next = tile.next
        var ahead = tile.ahead
        let first = min(tileHeight, tile.depth)
        for _ in 0..<first {
            let weights = loadRow(panel)
            addRow(a[0], weights, to: &row0, pairs: false)
            addRow(a[1], weights, to: &row1, pairs: false)
            addRow(a[2], weights, to: &row2, pairs: false)
            addRow(a[3], weights, to: &row3, pairs: false)
            addRow(a[4], weights, to: &row4, pairs: false)
            addRow(a[5], weights, to: &row5, pairs: false)
            prefetch(next)
            prefetch(next + tileWidth - 1)
            next += tile.resultStride
            prefetch(ahead)
            ahead += tile.aheadStride
            a += stripWidth
            panel += panelWidth
        }
        for _ in first..<tile.depth {
            let weights = loadRow(panel)
            addRow(a[0], weights, to: &row0, pairs: false)
            addRow(a[1], weights, to: &row1, pairs: false)
            addRow(a[2], weights, to: &row2, pairs: false)
            addRow(a[3], weights, to: &row3, pairs: false)
            addRow(a[4], weights, to: &row4, pairs: false)
            addRow(a[5], weights, to: &row5, pairs: false)
            prefetch(ahead)
            ahead += tile.aheadStride
            a += stripWidth
            panel += panelWidth
        }
        storeRow(row0, tile, 0)
        storeRow(row1, tile, 1)
        storeRow(row2, tile, 2)
        storeRow(row3, tile, 3)
        storeRow(row4, tile, 4)
        storeRow(row5, tile, 5)
    }
#endif
