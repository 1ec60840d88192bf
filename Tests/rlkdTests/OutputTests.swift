import Foundation
import Pipelines
import Synchronization
import Testing
import Training

@testable import rlkd

@Suite struct OutputTests {
    @Test func rowsComeOutInOrder() async throws {
        let written = SharedBytes()
        let rows = OrderedRows { written.append($0) }
        for index: UInt8 in [3, 1, 0, 4, 2] {
            try await rows.put(Data([index]), at: Int(index))
            if index == 1 { #expect(written.all.isEmpty) }
            if index == 0 { #expect(written.all == [0, 1]) }
        }
        #expect(written.all == [0, 1, 2, 3, 4])
    }

    @Test func floatsReadBackToTheSameBits() throws {
        var bits: UInt32 = 0x0012_3457
        for _ in 0..<20_000 {
            bits = bits &* 1_664_525 &+ 1_013_904_223
            let value = Float(bitPattern: bits)
            guard value.isFinite else { continue }
            let line = try JSONLine.encode([value])
            let read = try JSONDecoder().decode([Float].self, from: line)
            let wide = try JSONDecoder().decode([Double].self, from: line)
            #expect(read.map(\.bitPattern) == [value.bitPattern])
            #expect(wide.map { Float($0).bitPattern } == [value.bitPattern])
        }
    }

    @Test func tableColumnsAreAligned() {
        #expect(TextTable.layOut([["a", "bb"], ["ccc", "d"], ["e", ""]]) == "a    bb\nccc  d\ne")
    }

    /// The first row finds the reader gone: of a million others, only those under way then are still computed.
    @Test func rowsStopWhenTheReaderIsGone() async throws {
        let executor = ComputeExecutor(threads: 2, pinned: false)
        defer { executor.shutdown() }
        let computed = Atomic<Int>(0)
        let rows = OrderedRows { _ in throw OutputClosed() }
        // Each thread's first row may be under way, and finds out when it is put out.
        await #expect(throws: OutputClosed.self) {
            try await ParallelRows.run(count: 1_000_000, on: executor, lane: .scoring, into: rows) {
                { index in
                    computed.add(1, ordering: .relaxed)
                    return (Data([1]), index)
                }
            }
        }
        #expect(computed.load(ordering: .relaxed) <= 3)
    }

    @Test func rowsGiveTheirValuesInOrder() async throws {
        let executor = ComputeExecutor(threads: 3, pinned: false)
        defer { executor.shutdown() }
        let written = SharedBytes()
        let values = try await ParallelRows.run(
            count: 100, on: executor, lane: .scoring, into: OrderedRows { written.append($0) }
        ) {
            { index in (Data([UInt8(index)]), index * index) }
        }
        #expect(values == (0..<100).map { $0 * $0 })
        #expect(written.all == (0..<100).map { UInt8($0) })
    }

    @Test func workIsHandedOutOnce() {
        let work = WorkList(count: 3)
        #expect([work.claim(), work.claim(), work.claim(), work.claim(), work.claim()] == [0, 1, 2, nil, nil])
    }
}

private final class SharedBytes: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    var all: [UInt8] { bytes.withLock { $0 } }

    func append(_ data: Data) {
        bytes.withLock { $0 += data }
    }
}
