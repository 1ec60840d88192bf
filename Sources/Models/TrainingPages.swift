import Kernels
import Memory

/// Keys and values of one layer at a time for the sequences of a training batch, in the pages that generation uses:
/// a completion reads its prompt's full pages where they are and has the page that straddles once more for itself.
struct TrainingPages: ~Copyable {
    /// What a batch takes.
    struct Sizes {
        /// Page addresses.
        var tables = 0
        /// Floats of pages.
        var memory = 0

        /// Of so many rows, as if they stood in sequences of the longest's length.
        init(_ configuration: ModelConfiguration, rows: Int, longest: Int) {
            let sequences = longest > 0 ? (rows + longest - 1) / longest : 0
            tables = sequences * KeyValuePages.pages(positions: longest)
            memory = tables * configuration.keyValueBlockCount * configuration.keyValueHeadCount
        }

        init(_ configuration: ModelConfiguration, _ batch: TrainingBatch) {
            let page = configuration.keyValueBlockCount * configuration.keyValueHeadCount
            for span in batch.spans {
                let all = KeyValuePages.pages(positions: batch.endPosition(of: span))
                tables += all
                memory += (all - span.firstPosition / Attention.blockLength) * page
            }
        }
    }

    let headStride: Int
    private let configuration: ModelConfiguration
    private let pageCount: Int
    private(set) var memory = AlignedBuffer<Float>(count: 0)
    private(set) var tables = AlignedBuffer<UnsafeMutablePointer<Float>?>(count: 0)
    private var tableStarts: [Int] = []

    init(configuration: ModelConfiguration) {
        self.configuration = configuration
        headStride = configuration.keyValueBlockCount
        pageCount = headStride * configuration.keyValueHeadCount
    }

    /// Lays out the page tables of the batch's spans.
    mutating func prepare(_ batch: TrainingBatch) {
        let sizes = Sizes(configuration, batch)
        if sizes.tables > tables.count {
            tables = AlignedBuffer(count: sizes.tables)
        }
        if sizes.memory > memory.count {
            memory = AlignedBuffer(count: sizes.memory, pages: .large)
        }
        tableStarts.removeAll(keepingCapacity: true)
        var nextTable = 0
        var nextPage = 0
        for span in batch.spans {
            let shared = span.firstPosition / Attention.blockLength
            let all = KeyValuePages.pages(positions: span.firstPosition + span.count)
            tableStarts.append(nextTable)
            let prefixStart = span.prefix.map { tableStarts[$0] } ?? 0
            for index in 0..<all {
                if index < shared {
                    tables.pointer[nextTable + index] = tables.pointer[prefixStart + index]
                } else {
                    tables.pointer[nextTable + index] = memory.pointer + nextPage * pageCount
                    nextPage += 1
                }
            }
            nextTable += all
        }
    }

    /// The span's rows with their page table.
    func rowSpan(_ index: Int, of batch: TrainingBatch) -> RowSpan {
        let span = batch.spans[index]
        return RowSpan(
            firstRow: span.firstRow, count: span.count, firstPosition: span.firstPosition, blocks: blocks(index))
    }

    /// The last rows of the span's prefix, which the span's own first page takes too: none where the prefix ends with a page.
    func straddlingRows(_ index: Int, of batch: TrainingBatch) -> RowSpan? {
        let span = batch.spans[index]
        let count = span.firstPosition % Attention.blockLength
        guard let prefix = span.prefix, count > 0 else { return nil }
        let first = span.firstPosition - count
        return RowSpan(
            firstRow: batch.spans[prefix].firstRow + first, count: count, firstPosition: first, blocks: blocks(index))
    }

    private func blocks(_ index: Int) -> UnsafePointer<UnsafeMutablePointer<Float>> {
        // As at `PageTable.blocks`: a span's entries are all set, and an address that is set has the same bits with and without
        // the optional.
        UnsafeRawPointer(tables.pointer + tableStarts[index]).assumingMemoryBound(to: UnsafeMutablePointer<Float>.self)
    }
}
