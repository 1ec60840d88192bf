import Kernels
import TestSupport
import Testing

/// What products bring near changes none of their bits, and of the addresses of pieces none is read beyond the last.
@Suite struct ComingReadsTests {
    /// Rows of one strip, of two and of many, depths below and above a piece's lines.
    static let shapes: [(rows: Int, outputs: Int, depth: Int)] = [
        (4, 70, 9), (12, 130, 40), (16, 97, 64), (29, 200, 31), (64, 130, 3), (64, 320, 300), (150, 64, 96),
    ]
    /// None, fewer than there are tiles, more.
    static let counts = [0, 1, 5, 4000]

    @Test(arguments: KernelSet.supported, shapes)
    func floats(kernels: KernelSet, shape: (rows: Int, outputs: Int, depth: Int)) {
        let (rows, outputs, depth) = shape
        var generator = SeededGenerator(seed: UInt64(rows * 1_000_000 + outputs * 1000 + depth))
        let a = generator.floats(rows * depth)
        var packed = [Float](repeating: .nan, count: MatrixProduct.packedCount(outputs: outputs, depth: depth))
        kernels.packWeight(generator.floats(outputs * depth), outputs, depth, &packed)
        compare(rows: rows, outputs: outputs, panels: packed) { result, coming in
            kernels.multiply(a, rows, depth, packed, outputs, depth, result, outputs, false, coming)
        }
    }

    @Test(arguments: BFloat16KernelSet.supported, shapes)
    func pairs(kernels: BFloat16KernelSet, shape: (rows: Int, outputs: Int, depth: Int)) {
        let (rows, outputs, depth) = shape
        var generator = SeededGenerator(seed: UInt64(rows * 1_000_000 + outputs * 1000 + depth))
        let x = generator.floats(rows * depth)
        let stride = kernels.roundedCount(depth)
        var a = [UInt32](repeating: 0, count: rows * stride)
        kernels.round(x, rows, depth, depth, &a, stride)
        var packed = [UInt32](repeating: 0, count: BFloat16Product.packedCount(outputs: outputs, depth: depth))
        var workspace = [UInt32](repeating: 0, count: BFloat16Product.packWorkspace(depth: depth))
        kernels.packWeight(generator.floats(outputs * depth), outputs, depth, &packed, &workspace)
        let pairCount = BFloat16Product.pairCount(depth)
        let panels = packed.map(Float.init(bitPattern:))
        compare(rows: rows, outputs: outputs, panels: panels) { result, coming in
            kernels.multiply(a, rows, stride, packed, outputs, pairCount, result, outputs, false, coming)
        }
        compare(rows: rows, outputs: outputs, panels: panels) { result, coming in
            var rounded = [UInt32](repeating: 0, count: rows * stride)
            kernels.multiplyRounding(
                x, rows, depth, depth, &rounded, stride, packed, outputs, result, outputs, false, coming)
        }
    }

    private func compare(
        rows: Int, outputs: Int, panels: [Float], _ multiply: (UnsafeMutablePointer<Float>, KernelComing) -> Void
    ) {
        let expected = GuardedFloats([Float](repeating: 0, count: rows * outputs))
        multiply(expected.pointer, nothingComing)
        let reading = GuardedFloats([Float](repeating: 1, count: 4096))
        let next = GuardedFloats(panels)
        for count in Self.counts {
            // Behind the last address stands what cannot be read.
            let lanes = GuardedFloats([Float](repeating: 0, count: 2 * count))
            let addresses = UnsafeMutableRawPointer(lanes.pointer)
                .bindMemory(to: UnsafeMutablePointer<Float>.self, capacity: count)
            for index in 0..<count { addresses[index] = reading.pointer + index % 7 * 16 }
            for length in [1, 500, 3000] {
                let result = GuardedFloats([Float](repeating: 7, count: rows * outputs))
                multiply(result.pointer, (UnsafePointer(next.pointer), UnsafePointer(addresses), count, 32, length))
                #expect(result.values.map(\.bitPattern) == expected.values.map(\.bitPattern))
            }
        }
    }
}
