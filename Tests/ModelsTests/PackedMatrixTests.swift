import Kernels
import Memory
import TestSupport
import Testing

@testable import Models

/// Products by blocks of rows, or by parts of the panels, are those of the whole matrix, bit for bit.
@Suite struct PackedMatrixTests {
    /// Depths whose rounded rows stand close, and with a gap.
    @Test(
        arguments: [Precision.float32, .bfloat16],
        [
            (30, 70, 2048), (300, 33, 96), (13, 96, 4096), (1, 40, 6), (300, 33, 2048), (130, 33, 4096), (1, 40, 1024),
        ])
    func partsGiveTheBitsOfTheWhole(precision: Precision, shape: (rows: Int, outputs: Int, depth: Int)) {
        let (rows, outputs, depth) = shape
        var random = SeededGenerator(seed: UInt64(depth))
        let x = AlignedBuffer<Float>(count: rows * depth)
        let weight = AlignedBuffer<Float>(count: outputs * depth)
        for index in 0..<x.count { x.pointer[index] = Float.random(in: -1...1, using: &random) }
        for index in 0..<weight.count { weight.pointer[index] = Float.random(in: -1...1, using: &random) }
        let panels = AlignedBuffer<Float>(
            count: PackedMatrix.laneCount(outputs: outputs, depth: depth, precision: precision))
        let workspace = AlignedBuffer<BFloat16Pair>(
            count: PackedMatrix.packWorkspace(depth: depth, precision: precision))
        PackedMatrix.pack(
            weight.pointer, outputs: outputs, depth: depth, precision: precision, into: panels.pointer,
            workspace: workspace.pointer)
        let matrix = PackedMatrix(panels: panels.pointer, outputs: outputs, depth: depth, precision: precision)

        let whole = AlignedBuffer<Float>(count: rows * outputs)
        let blocks = AlignedBuffer<Float>(count: rows * outputs)
        let parts = AlignedBuffer<Float>(count: rows * outputs)
        let scratch = GuardedLanes(PackedMatrix.scratchCount(rows: rows, depth: depth, precision: precision))
        let arranged = GuardedLanes(PackedMatrix.arrangedCount(rows: rows, depth: depth, precision: precision))
        // The second time on top of the first.
        for accumulating in [false, true] {
            multiply(
                x.pointer, panels.pointer, rows: rows, outputs: outputs, depth: depth, precision, into: whole.pointer,
                accumulating: accumulating)
            matrix.multiply(
                x.pointer, rows: rows, into: blocks.pointer, accumulating: accumulating, scratch: scratch.pointer)
            for first in stride(from: 0, to: rows, by: 7) {
                matrix.arrange(first..<min(rows, first + 7), of: x.pointer, into: arranged.pointer)
            }
            for panel in 0..<matrix.panelCount {
                for part in [0..<rows / 3, rows / 3..<rows] {
                    matrix.multiply(
                        panels: panel..<panel + 1, of: x.pointer, arranged: arranged.pointer, rows: part,
                        into: parts.pointer, accumulating: accumulating,
                        coming: ComingReads(panels: matrix.panel(0)))
                }
            }
            for index in 0..<rows * outputs {
                guard whole.pointer[index].bitPattern == blocks.pointer[index].bitPattern,
                    whole.pointer[index].bitPattern == parts.pointer[index].bitPattern, whole.pointer[index] != 0
                else {
                    Issue.record("element \(index) is \(whole.pointer[index]), in blocks \(blocks.pointer[index])")
                    return
                }
            }
        }
        let areWhole = [scratch.isWhole, arranged.isWhole]
        #expect(areWhole == [true, true])
    }

    /// The product by the kernel itself, all rows where they are.
    private func multiply(
        _ x: UnsafePointer<Float>, _ panels: UnsafePointer<Float>, rows: Int, outputs: Int, depth: Int,
        _ precision: Precision, into result: UnsafeMutablePointer<Float>, accumulating: Bool
    ) {
        switch precision {
        case .float32:
            MatrixProduct.multiply(
                x, rows: rows, rowStride: depth, packed: panels, outputs: outputs, depth: depth, into: result,
                resultStride: outputs, accumulating: accumulating)
        case .bfloat16:
            let rounded = AlignedBuffer<BFloat16Pair>(count: rows * BFloat16Product.roundedCount(depth))
            BFloat16Product.round(x, rows: rows, rowStride: depth, width: depth, into: rounded.pointer)
            BFloat16Product.multiply(
                rounded.pointer, rows: rows,
                packed: UnsafeRawPointer(panels).assumingMemoryBound(to: BFloat16Pair.self), outputs: outputs,
                depth: depth, into: result, resultStride: outputs, accumulating: accumulating)
        }
    }
}

/// Lanes, and some behind them that must stay as they are.
private struct GuardedLanes: ~Copyable {
    private static let guardCount = 64
    private static let pattern: UInt32 = 0x5a5a_5a5a
    private let count: Int
    private let buffer: AlignedBuffer<UInt32>

    init(_ count: Int) {
        self.count = count
        buffer = AlignedBuffer(count: count + Self.guardCount)
        for index in count..<buffer.count { buffer.pointer[index] = Self.pattern }
    }

    var pointer: UnsafeMutablePointer<BFloat16Pair> {
        UnsafeMutableRawPointer(buffer.pointer).bindMemory(to: BFloat16Pair.self, capacity: count)
    }

    var isWhole: Bool {
        let words = UnsafeRawBufferPointer(buffer.span)
        return (count..<buffer.count).allSatisfy { words.load(fromByteOffset: 4 * $0, as: UInt32.self) == Self.pattern }
    }
}
