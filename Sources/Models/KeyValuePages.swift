import Kernels
import Memory

/// Keys and values of all layers in pages of 16 absolute positions, shared by reference count between sequences with a
/// common prefix.
///
/// A page is [layer][key-value head][block], the block as `Attention` defines it, so that a sequence is a table of page
/// addresses, the same for every layer. One worker owns the pages; they are not shared between threads.
public final class KeyValuePages {
    public let capacity: Int
    /// Floats from one layer's blocks to the next within a page.
    let layerStride: Int
    /// Floats from one head's block to the next.
    let headStride: Int
    /// Floats a page.
    let pageCount: Int

    let memory: AlignedBuffer<Float>
    private var references: [Int32]
    private var free: [Int32]

    /// - Parameter capacity: pages.
    public init(configuration: ModelConfiguration, capacity: Int) {
        self.capacity = capacity
        headStride = configuration.keyValueBlockCount
        layerStride = headStride * configuration.keyValueHeadCount
        pageCount = Self.pageCount(configuration)
        memory = AlignedBuffer(count: capacity * pageCount, pages: .large)
        references = Array(repeating: 0, count: capacity)
        free = (0..<Int32(capacity)).reversed()
    }

    /// Floats of a page of all layers, and a gap, since one head's blocks in many pages would fall upon the same few sets
    /// of a cache if pages were a power of two apart.
    static func pageCount(_ configuration: ModelConfiguration) -> Int {
        configuration.keyValueBlockCount * configuration.keyValueHeadCount * configuration.layerCount
            + gapCount
    }

    /// Five cache lines of floats: an odd number, so that every set has its turn.
    private static let gapCount = 5 * 16

    public static func pages(positions: Int) -> Int {
        (positions + Attention.blockLength - 1) / Attention.blockLength
    }

    public var freeCount: Int { free.count }

    func address(_ page: Int32) -> UnsafeMutablePointer<Float> {
        memory.pointer + Int(page) * pageCount
    }

    /// A page with one reference, or nil when none is left.
    func allocate() -> Int32? {
        guard let page = free.popLast() else { return nil }
        references[Int(page)] = 1
        return page
    }

    func retain(_ page: Int32) {
        references[Int(page)] += 1
    }

    func release(_ page: Int32) {
        references[Int(page)] -= 1
        if references[Int(page)] == 0 {
            free.append(page)
        }
    }

    func copy(_ source: Int32, to target: Int32) {
        address(target).update(from: address(source), count: pageCount)
    }
}

/// A sequence's pages in order of position, as one growing table of addresses that kernels read.
///
/// The owner calls `release` before it lets the table go.
public struct PageTable: ~Copyable {
    private let addresses: AlignedBuffer<UnsafeMutablePointer<Float>?>
    private var pages: [Int32]

    public init(maxPositions: Int) {
        let capacity = KeyValuePages.pages(positions: maxPositions)
        addresses = AlignedBuffer(count: capacity)
        pages = []
        pages.reserveCapacity(capacity)
    }

    var count: Int { pages.count }

    /// Page addresses for the attention kernels; the first `count` of them are set.
    var blocks: UnsafePointer<UnsafeMutablePointer<Float>> {
        // An address that is set has the same bits with and without the optional, and no other is read.
        UnsafeRawPointer(addresses.pointer).assumingMemoryBound(to: UnsafeMutablePointer<Float>.self)
    }

    /// Makes room for `positions` positions in all; false when the pool is empty (what was taken stays).
    public mutating func reserve(positions: Int, from pool: KeyValuePages) -> Bool {
        while pages.count < KeyValuePages.pages(positions: positions) {
            guard let page = pool.allocate() else { return false }
            append(page, from: pool)
        }
        return true
    }

    /// Takes over the first `positions` positions of `prefix`: full pages by reference, the page that straddles by copy, so
    /// that its block is processed whole. False when the pool is empty.
    public mutating func fork(_ prefix: borrowing PageTable, positions: Int, from pool: KeyValuePages) -> Bool {
        let full = positions / Attention.blockLength
        for index in 0..<full {
            pool.retain(prefix.pages[index])
            append(prefix.pages[index], from: pool)
        }
        guard positions % Attention.blockLength != 0 else { return true }
        guard let page = pool.allocate() else { return false }
        pool.copy(prefix.pages[full], to: page)
        append(page, from: pool)
        return true
    }

    public mutating func release(to pool: KeyValuePages) {
        for page in pages {
            pool.release(page)
        }
        pages.removeAll(keepingCapacity: true)
    }

    private mutating func append(_ page: Int32, from pool: KeyValuePages) {
        addresses.pointer[pages.count] = pool.address(page)
        pages.append(page)
    }
}
