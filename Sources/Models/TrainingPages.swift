import Kernels
import Memory

/// Keys and values of one layer at a time for the sequences of a training batch, in the pages that generation uses:
/// a completion reads its prompt's full pages where they are and gets a copy of the page that straddles.
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
    /// For each span, the page of its prefix that straddles and the copy.
    private var straddles: [(source: UnsafeMutablePointer<Float>, target: UnsafeMutablePointer<Float>)?] = []

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
        straddles.removeAll(keepingCapacity: true)
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
            if span.firstPosition % Attention.blockLength != 0,
                let source = tables.pointer[prefixStart + shared], let target = tables.pointer[nextTable + shared]
            {
                straddles.append((source, target))
            } else {
                straddles.append(nil)
            }
            nextTable += all
        }
    }

    /// The span's rows with their page table, the straddling page brought up to date. Its prefix is stored already.
    func rowSpan(_ index: Int, of batch: TrainingBatch) -> RowSpan {
        if let straddle = straddles[index] {
            straddle.target.update(from: straddle.source, count: pageCount)
        }
        let span = batch.spans[index]
        let blocks = UnsafeRawPointer(tables.pointer + tableStarts[index])
            .assumingMemoryBound(to: UnsafeMutablePointer<Float>.self)
        return RowSpan(
            firstRow: span.firstRow, count: span.count, firstPosition: span.firstPosition, blocks: blocks)
    }
}
