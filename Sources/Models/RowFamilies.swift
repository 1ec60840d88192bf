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
    private let memberTables: AlignedBuffer<UnsafePointer<UnsafeMutablePointer<Float>>?>
    private var count = 0
    private var singles = 0
    private var lastRow = 0

    /// Below so many shared pages members are not worth bringing together.
    private static let fewest = 4

    /// - Parameter capacity: rows a step.
    init(_ configuration: ModelConfiguration, capacity: Int) {
        most = Attention.sharingMembers(
            queriesPerMember: configuration.attentionHeadCount / configuration.keyValueHeadCount)
        families = AlignedBuffer(count: capacity)
        memberPositions = AlignedBuffer(count: capacity)
        memberTables = AlignedBuffer(count: capacity)
    }

    var pointer: UnsafePointer<RowFamily> { UnsafePointer(families.pointer) }

    /// Of every single row.
    var positions: UnsafePointer<Int> { UnsafePointer(memberPositions.pointer) }

    /// Page addresses of every single row's sequence.
    var tables: UnsafePointer<UnsafePointer<UnsafeMutablePointer<Float>>> {
        // All up to the present count are set.
        UnsafeRawPointer(memberTables.pointer).assumingMemoryBound(
            to: UnsafePointer<UnsafeMutablePointer<Float>>.self)
    }

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
