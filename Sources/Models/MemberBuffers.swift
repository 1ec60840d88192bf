import Memory

/// A workspace for each member of a team, one behind another, each on cache lines of its own.
struct MemberBuffers<Element: BitwiseCopyable>: ~Copyable {
    private let pages: PageSize
    private var buffer = AlignedBuffer<Element>(count: 0)
    private var places = 0
    private var stride = 0

    init(pages: PageSize = .standard) {
        self.pages = pages
    }

    /// Elements of all workspaces.
    var count: Int { buffer.count }

    /// The elements that a workspace of so many, at four bytes each, takes.
    static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

    /// Makes room for so many elements and members; what was there is lost when it grows.
    mutating func reserve(_ count: Int, places newPlaces: Int) {
        guard count > stride || newPlaces > places else { return }
        stride = max(stride, Self.padded(count))
        places = max(places, newPlaces)
        buffer = AlignedBuffer(count: places * stride, pages: pages)
    }

    func callAsFunction(_ place: Int) -> UnsafeMutablePointer<Element> { buffer.pointer + place * stride }
}
