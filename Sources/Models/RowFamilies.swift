import Kernels
import Memory

/// Decode rows that follow one another and whose sequences begin with the same pages.
struct RowFamily: BitwiseCopyable {
    /// Index among the step's single rows.
    var first: Int
    var count: Int
    /// Pages, all before any member's newest position's; 0 where the family is one row.
    var sharedPages: Int

    var singles: Range<Int> { first..<first + count }
}

/// A step's decode rows in families, as many rows to each as are best attended together. Nothing is allocated after `init`.
final class RowFamilies {
    private let most: Int
    private let families: AlignedBuffer<RowFamily>
    private let memberPositions: AlignedBuffer<Int>
    private let memberTables: AlignedBuffer<UnsafePointer<UnsafeMutablePointer<Float>>>
    private var count = 0
    private var singles = 0
    private var lastRow = 0

    /// Below so many shared pages members are not worth bringing together.
    private static let fewest = 4

    /// - Parameters:
    ///   - capacity: rows a step.
    ///   - decodeRows: rows of full steps of decoding, of which each of the `places` that share them gets two families at least.
    init(_ configuration: ModelConfiguration, capacity: Int, decodeRows: Int, places: Int) {
        let best = Self.mostMembers(configuration)
        most = places == 1 ? best : max(1, min(best, decodeRows / (2 * places)))
        families = AlignedBuffer(count: capacity)
        memberPositions = AlignedBuffer(count: capacity)
        memberTables = AlignedBuffer(count: capacity)
    }

    /// Rows that are attended together at most.
    static func mostMembers(_ configuration: ModelConfiguration) -> Int {
        Attention.sharingMembers(
            queriesPerMember: configuration.attentionHeadCount / configuration.keyValueHeadCount)
    }

    var pointer: UnsafePointer<RowFamily> { UnsafePointer(families.pointer) }

    /// Of every single row.
    var positions: UnsafePointer<Int> { UnsafePointer(memberPositions.pointer) }

    /// Page addresses of every single row's sequence.
    var tables: UnsafePointer<UnsafePointer<UnsafeMutablePointer<Float>>> { UnsafePointer(memberTables.pointer) }

    func begin() {
        count = 0
        singles = 0
    }

    /// Adds a single row, to the family of the row before if they share pages.
    ///
    /// - Returns: how many families there are.
    func append(_ span: RowSpan) -> Int {
        memberPositions.pointer[singles] = span.firstPosition
        memberTables.pointer[singles] = span.blocks
        if !join(span) {
            families.pointer[count] = RowFamily(first: singles, count: 1, sharedPages: 0)
            count += 1
        }
        singles += 1
        lastRow = span.firstRow
        return count
    }

    private func join(_ span: RowSpan) -> Bool {
        guard count > 0, span.firstRow == lastRow + 1 else { return false }
        var family = families.pointer[count - 1]
        guard family.count < most else { return false }
        let isPair = family.count == 1
        let limit = isPair ? positions[family.first] / Attention.blockLength : family.sharedPages
        let shared = sharedPages(tables[family.first], span, atMost: limit)
        guard shared >= (isPair ? Self.fewest : family.sharedPages) else { return false }
        // Where it has more in common with the row before than that has with the family, it is the second of another one.
        let isNearer = !isPair && sharedPages(tables[singles - 1], span, atMost: shared + 1) > shared
        guard !isNearer else { return false }
        family.count += 1
        family.sharedPages = shared
        families.pointer[count - 1] = family
        return true
    }

    private func sharedPages(
        _ table: UnsafePointer<UnsafeMutablePointer<Float>>, _ span: RowSpan, atMost limit: Int
    ) -> Int {
        let limit = min(limit, span.firstPosition / Attention.blockLength)
        var pages = 0
        while pages < limit && table[pages] == span.blocks[pages] { pages += 1 }
        return pages
    }
}
