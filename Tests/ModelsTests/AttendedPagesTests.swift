import Kernels
import Memory
import TestSupport
import Testing

@testable import Models

/// Pages that decode rows attend to, and their shares among products.
@Suite struct AttendedPagesTests {
    private let pages = (0..<40).map { UnsafeMutablePointer<Float>(bitPattern: 4096 * ($0 + 1)) }

    private func table(_ indices: [Int]) -> AlignedBuffer<UnsafeMutablePointer<Float>> {
        let table = AlignedBuffer<UnsafeMutablePointer<Float>>(count: indices.count)
        for (index, page) in indices.enumerated() {
            if let address = pages[page] { table.pointer[index] = address }
        }
        return table
    }

    private func span(_ table: borrowing AlignedBuffer<UnsafeMutablePointer<Float>>, position: Int) -> RowSpan {
        RowSpan(firstRow: 0, count: 1, firstPosition: position, blocks: UnsafePointer(table.pointer))
    }

    @Test func sharedBeginningsComeOnce() {
        let attended = AttendedPages(capacity: 12)
        // The second shares two pages with the first; the third two with the first, but none with the second's last.
        let first = table([0, 1, 2, 3])
        let second = table([0, 1, 4])
        let third = table([5, 1, 2])
        for _ in 0..<2 {
            attended.begin()
            // 16 positions a page: position 48 is the first of a fourth.
            let spans = [span(first, position: 48), span(second, position: 47), span(third, position: 33)]
            attended.append(spans[0], after: nil)
            attended.append(spans[1], after: spans[0])
            attended.append(spans[2], after: spans[1])
            #expect((0..<attended.count).map { attended.pointer[$0] } == [0, 1, 2, 3, 4, 5, 1, 2].map { pages[$0] })
        }
    }

    /// A table may go further than its row has come: what the row before does not see it has not brought.
    @Test(arguments: [
        (20, 47, [0, 1, 2]), (47, 20, [0, 1, 2]), (15, 16, [0, 1]), (16, 15, [0, 1]), (63, 63, [0, 1, 2, 3]),
    ])
    func pagesThatTheRowBeforeDoesNotSeeAreAdded(before: Int, position: Int, expected: [Int]) {
        let attended = AttendedPages(capacity: 12)
        let table = table([0, 1, 2, 3])
        let first = span(table, position: before)
        attended.append(first, after: nil)
        attended.append(span(table, position: position), after: first)
        #expect((0..<attended.count).map { attended.pointer[$0] } == expected.map { pages[$0] })
    }

    @Test func beyondTheCapacityNoneAreTaken() {
        let attended = AttendedPages(capacity: 3)
        let table = table([0, 1, 2, 3])
        attended.append(span(table, position: 20), after: nil)
        attended.append(span(table, position: 63), after: nil)
        #expect((0..<attended.count).map { attended.pointer[$0] } == [0, 1, 0].map { pages[$0] })
    }

    /// Parts of all products together bring every page once, in order.
    @Test(arguments: [0, 1, 7, 100, 1000], [1, 3, 8])
    func sharesAreAll(count: Int, panelsPerPart: Int) throws {
        let configuration = ModelConfiguration(
            architecture: .qwen2, hiddenSize: 96, intermediateSize: 130, layerCount: 1, attentionHeadCount: 6,
            keyValueHeadCount: 2, vocabularySize: 50, maxPositions: 64)
        let weights = try PolicyWeights.randomized(configuration: configuration, seed: 1, deviation: 0.1)
        let layer = weights.layer(0)
        let addresses = AlignedBuffer<UnsafeMutablePointer<Float>>(count: count)
        let coming = ComingPages(
            UnsafePointer(addresses.pointer), count: count, offset: 640, length: 512, weights: layer)
        var earlier = 0
        var brought = 0
        for matrix in [layer.output, layer.gateUp, layer.down, layer.queryKeyValue] {
            for first in stride(from: 0, to: matrix.panelCount, by: panelsPerPart) {
                let part = first..<min(matrix.panelCount, first + panelsPerPart)
                let share = coming.share(of: part, after: earlier)
                #expect((share == nil) == (count == 0))
                guard let share else { continue }
                #expect(share.addresses == UnsafePointer(addresses.pointer + brought))
                #expect(share.offset == 640 && share.length == 512)
                let even = Double(count * part.count) / 20
                #expect(abs(Double(share.count) - even) <= 1)
                brought += share.count
            }
            earlier += matrix.panelCount
        }
        #expect(earlier == 20)
        #expect(brought == count)
    }
}
