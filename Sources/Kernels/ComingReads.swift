/// What is read after a product, which brings it near meanwhile. It changes no result.
public struct ComingReads: BitwiseCopyable {
    /// Packed panels: of these, as many as a group takes.
    public var panels: UnsafePointer<Float>?
    public var pieces: Pieces?

    /// Pieces of one length that stand anywhere, such as keys and values in pages. Tiles of the rows beyond those that bring panels
    /// near, 24 with AVX-512 and 6 with AVX2, bring one each, but for those of a strip of other than eight or twelve rows with
    /// AVX-512, or of one or two: as much of it as a cache line a step of depth, and no more pieces
    /// than there are such tiles.
    public struct Pieces: BitwiseCopyable {
        public var addresses: UnsafePointer<UnsafeMutablePointer<Float>>
        public var count: Int
        /// Floats from an address to where its piece begins.
        public var offset: Int
        /// Floats a piece.
        public var length: Int

        public init(addresses: UnsafePointer<UnsafeMutablePointer<Float>>, count: Int, offset: Int, length: Int) {
            self.addresses = addresses
            self.count = count
            self.offset = offset
            self.length = length
        }
    }

    public init(panels: UnsafePointer<Float>? = nil, pieces: Pieces? = nil) {
        self.panels = panels
        self.pieces = pieces
    }

    public static var none: ComingReads { ComingReads() }

    /// As kernels take it.
    var parts:
        (
            panels: UnsafePointer<Float>?, pieces: UnsafePointer<UnsafeMutablePointer<Float>>?, pieceCount: Int,
            pieceOffset: Int, pieceLength: Int
        )
    {
        (panels, pieces?.addresses, pieces?.count ?? 0, pieces?.offset ?? 0, pieces?.length ?? 0)
    }
}
