import Memory

/// The pages that a step's decode rows attend to, in that order. Nothing is allocated after `init`.
final class AttendedPages {
    private let addresses: AlignedBuffer<UnsafeMutablePointer<Float>>
    private(set) var count = 0

    /// - Parameter capacity: pages, beyond which none are taken.
    init(capacity: Int) {
        addresses = AlignedBuffer(count: capacity)
    }

    var pointer: UnsafePointer<UnsafeMutablePointer<Float>> { UnsafePointer(addresses.pointer) }

    func begin() {
        count = 0
    }

    /// Adds what a single row sees, but not the pages that the row before, whose sequence begins with the same, has added.
    func append(_ span: RowSpan, after before: RowSpan?) {
        let pages = Self.pages(span)
        var first = 0
        if let before {
            let most = min(pages, Self.pages(before))
            while first < most && span.blocks[first] == before.blocks[first] { first += 1 }
        }
        let added = min(pages - first, addresses.count - count)
        (addresses.pointer + count).update(from: span.blocks + first, count: added)
        count += added
    }

    private static func pages(_ span: RowSpan) -> Int {
        KeyValuePages.pages(positions: span.firstPosition + span.count)
    }
}
