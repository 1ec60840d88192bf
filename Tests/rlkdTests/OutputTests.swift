import Foundation
import Synchronization
import Testing

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
