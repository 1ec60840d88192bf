import Kernels
import Memory
import TestSupport
import Testing

@testable import Models

/// Products by blocks of rows, or by parts of the panels, are those of the whole matrix, bit for bit.
@Suite struct PackedMatrixTests {
    /// Depths whose rounded rows stand close, and with a gap.
    @Test(arguments: [Precision.float32, .bfloat16], [(30, 70, 2048), (300, 33, 96), (13, 96, 4096), (1, 40, 6)])
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
        switch precision {
        case .float32:
            MatrixProduct.multiply(
                x.pointer, rows: rows, rowStride: depth, packed: panels.pointer, outputs: outputs, depth: depth,
                into: whole.pointer, resultStride: outputs, accumulating: false)
        case .bfloat16:
            let pairs = AlignedBuffer<BFloat16Pair>(count: rows * BFloat16Product.pairCount(depth))
            BFloat16Product.pairNeighbours(
                x.pointer, rows: rows, rowStride: depth, width: depth, into: pairs.pointer)
            BFloat16Product.multiply(
                pairs.pointer, rows: rows,
                packed: UnsafeRawPointer(panels.pointer).assumingMemoryBound(to: BFloat16Pair.self), outputs: outputs,
                depth: depth, into: whole.pointer, resultStride: outputs, accumulating: false)
        }

        let blocks = AlignedBuffer<Float>(count: rows * outputs)
        let scratch = AlignedBuffer<BFloat16Pair>(
            count: PackedMatrix.scratchCount(rows: rows, depth: depth, precision: precision))
        matrix.multiply(x.pointer, rows: rows, into: blocks.pointer, scratch: scratch.pointer)
        let parts = AlignedBuffer<Float>(count: rows * outputs)
        let rounded = AlignedBuffer<BFloat16Pair>(
            count: PackedMatrix.roundedCount(rows: rows, depth: depth, precision: precision))
        for first in stride(from: 0, to: rows, by: 7) {
            matrix.round(first..<min(rows, first + 7), of: x.pointer, into: rounded.pointer)
        }
        for panel in 0..<matrix.panelCount {
            matrix.multiply(
                panels: panel..<panel + 1, of: x.pointer, rounded: rounded.pointer, rows: rows, into: parts.pointer,
                next: matrix.panel(0))
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
}
