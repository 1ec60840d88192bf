import CSIMD

/// What is read after a product, and brought into the second-level cache by its tiles meanwhile: `panels`, as much as a group
/// takes, and the first `pieceCount` pieces, each `pieceLength` floats at `pieceOffset` from its address.
public typealias ComingReads = (
    panels: UnsafePointer<Float>?, pieces: UnsafePointer<UnsafeMutablePointer<Float>>?, pieceCount: Int,
    pieceOffset: Int, pieceLength: Int
)

/// Floats of a cache line.
let lineLength = 16

/// What a strip brings near: a piece in each of its first `pieceCount` tiles or, where there are none, in those below column
/// `columns` a share of each of `panels`, which are `depth` lanes deep and stand `panelStride` apart, and else where `isOwn` the
/// panel that a tile reads itself. A step of depth moves on by `stride` floats.
typealias Ahead = (
    panels: UnsafePointer<Float>, panelStride: Int, depth: Int, columns: Int, stride: Int,
    pieces: UnsafePointer<UnsafeMutablePointer<Float>>?, pieceCount: Int, pieceOffset: Int, isOwn: Bool
)

/// Steps between asking for a line of one's own panel and reading it: as long as memory takes.
let stepsAhead = 64

/// The same of two panels at once.
let stepsAheadOfTwo = 32

/// Asks for a row of a panel, to be read soon.
@inline(__always)
func prefetchPanel(_ row: UnsafePointer<Float>) {
    prefetchNearest(row)
    prefetchNearest(row + lineLength)
}

/// Where the tile at `column` begins to bring near, and by how much a step moves on.
@inline(__always)
func aheadOfTile(of strip: Strip, at column: Int) -> (UnsafePointer<Float>, stride: Int) {
    let ahead = strip.ahead
    let tile = column / tileWidth
    if let pieces = ahead.pieces, tile < ahead.pieceCount {
        return (UnsafePointer(pieces[tile] + ahead.pieceOffset), ahead.stride)
    }
    guard column < ahead.columns else {
        guard ahead.isOwn else { return (strip.panel, 0) }
        return (strip.panel + tileOffset(column: column, strip.panelStride) + stepsAhead * panelWidth, panelWidth)
    }
    // Each tile of a panel brings its part of the lines.
    let first = column / panelWidth * ahead.panelStride + column % panelWidth * ahead.depth
    return (ahead.panels + first, ahead.stride)
}

/// Has a strip bring the first of the coming pieces near, one a tile.
@inline(__always)
func bringPieces(of coming: inout ComingReads, in strip: inout Strip) {
    let count = min(bringingTiles(strip.columns), coming.pieceCount)
    let steps = max(1, strip.depth)
    strip.ahead.columns = 0
    strip.ahead.stride = min(lineLength, (coming.pieceLength + steps - 1) / steps)
    strip.ahead.pieces = coming.pieces
    strip.ahead.pieceCount = count
    strip.ahead.pieceOffset = coming.pieceOffset
    coming.pieces = coming.pieces.map { $0 + count }
    coming.pieceCount -= count
}

/// The tiles of so many columns, but for half a panel at the end, which brings nothing.
@inline(__always)
private func bringingTiles(_ columns: Int) -> Int {
    #if KERNELS_AVX512
        (columns + tileWidth - lanes - 1) / tileWidth
    #else
        (columns + tileWidth - 1) / tileWidth
    #endif
}
