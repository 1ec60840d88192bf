import Kernels
import TestSupport
import Testing

@Suite struct BFloat16ProductTests {
    static let shapes: [(rows: Int, outputs: Int, depth: Int)] = [
        (1, 1, 1), (1, 33, 7), (1, 160, 40), (2, 31, 300), (2, 96, 64), (3, 32, 16), (5, 80, 96), (7, 17, 1031),
        (12, 64, 64), (13, 45, 31), (16, 96, 96), (23, 100, 257), (29, 15, 40), (64, 96, 192), (97, 40, 20),
        (9, 130, 3), (16, 100, 5300), (21, 100, 5300), (29, 100, 5300),
    ]

    @Test(arguments: BFloat16KernelSet.supported)
    func roundingIsToNearestEven(kernels: BFloat16KernelSet) {
        var generator = SeededGenerator(seed: 11)
        var values: [Float] = [
            0, -0, 1, -1, .infinity, -.infinity, .nan, -.nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
            -.leastNormalMagnitude, .leastNormalMagnitude, Float(bitPattern: 0x3f80_8000),
            Float(bitPattern: 0x3f81_8000), Float(bitPattern: 0x3f81_7fff), Float(bitPattern: 0x7f80_0001),
            Float(bitPattern: 0x007f_ffff), Float(bitPattern: 0x7f7f_8000),
        ]
        values += (0..<20_001).map { _ in Float(bitPattern: UInt32.random(in: .min ... .max, using: &generator)) }
        let count = kernels.roundedCount(values.count)
        var rounded = [UInt32](repeating: 0xffff_ffff, count: count + 1)
        kernels.round(values, 1, values.count, values.count, &rounded, count)
        let found = kernels.values(rounded[..<count], width: values.count + 1)
        for (index, value) in values.enumerated() {
            #expect(found[index] == BFloat16KernelSet.bfloat16(value), "\(value.bitPattern)")
        }
        #expect(values.count % 2 == 1 && found[values.count] == 0, "an odd value is paired with zero")
        #expect(rounded[count] == 0xffff_ffff)
    }

    private func product(
        _ kernels: BFloat16KernelSet, _ x: [Float], _ w: [Float], rows: Int, outputs: Int, depth: Int,
        accumulating: Bool
    ) -> [Float] {
        let pairCount = BFloat16Product.pairCount(depth)
        let stride = kernels.roundedCount(depth)
        var a = [UInt32](repeating: .max, count: rows * stride)
        kernels.round(x, rows, depth, depth, &a, stride)
        var packed = [UInt32](repeating: .max, count: BFloat16Product.packedCount(outputs: outputs, depth: depth))
        var workspace = [UInt32](repeating: .max, count: BFloat16Product.packWorkspace(depth: depth))
        kernels.packWeight(w, outputs, depth, &packed, &workspace)
        var c = [Float](repeating: 3, count: rows * (outputs + 2))
        kernels.multiply(a, rows, stride, packed, outputs, pairCount, &c, outputs + 2, accumulating, nothingComing)
        return c
    }

    /// For normal values the chain of the documentation, bit for bit, with every instruction set.
    @Test(arguments: BFloat16KernelSet.supported, shapes + MatrixProductTests.heights)
    func multiplyIsTheDocumentedChain(kernels: BFloat16KernelSet, shape: (rows: Int, outputs: Int, depth: Int)) {
        let (rows, outputs, depth) = shape
        var generator = SeededGenerator(seed: UInt64(rows * 1_000_000 + outputs * 1000 + depth))
        let x = generator.floats(rows * depth)
        let w = generator.floats(outputs * depth)
        for accumulating in [false, true] {
            let c = product(kernels, x, w, rows: rows, outputs: outputs, depth: depth, accumulating: accumulating)
            var expected = [Float](repeating: 3, count: c.count)
            for i in 0..<rows {
                for j in 0..<outputs {
                    expected[i * (outputs + 2) + j] = BFloat16KernelSet.chain(accumulating ? 3 : 0, count: depth) {
                        x[i * depth + $0]
                    } b: {
                        w[j * depth + $0]
                    }
                }
            }
            #expect(bits(c) == bits(expected))
        }
    }

    /// Several strips, several groups of panels, several blocks of depth, rows with and without gaps.
    static let roundedShapes =
        shapes.map { (rows: $0.rows, outputs: $0.outputs, depth: $0.depth, gap: $0.rows % 3) } + [
            (rows: 25, outputs: 64, depth: 5202, gap: 0), (rows: 38, outputs: 70, depth: 5203, gap: 16),
            (rows: 30, outputs: 1408, depth: 256, gap: 0), (rows: 25, outputs: 40, depth: 0, gap: 0),
            (rows: 100, outputs: 260, depth: 1030, gap: 0),
            // Room for single values filled to the last one, by many panels and by one; and a block more.
            (rows: 130, outputs: 1060, depth: 128, gap: 0), (rows: 130, outputs: 50, depth: 2048, gap: 16),
            (rows: 140, outputs: 49, depth: 2050, gap: 0),
        ]

    /// The bits of `round` and `multiply`; the rows as they round them; nothing between rows is touched.
    @Test(arguments: BFloat16KernelSet.supported, roundedShapes)
    func roundingOnTheWayIsRoundingFirst(
        kernels: BFloat16KernelSet, shape: (rows: Int, outputs: Int, depth: Int, gap: Int)
    ) {
        let (rows, outputs, depth, gap) = shape
        var generator = SeededGenerator(seed: UInt64(rows * 1_000_000 + outputs * 1000 + depth))
        let x = generator.floats(rows * (depth + gap))
        let w = generator.floats(outputs * depth)
        let pairCount = BFloat16Product.pairCount(depth)
        let lanes = kernels.roundedCount(depth)
        let roundedStride = lanes + gap
        var packed = [UInt32](repeating: .max, count: BFloat16Product.packedCount(outputs: outputs, depth: depth))
        var workspace = [UInt32](repeating: .max, count: BFloat16Product.packWorkspace(depth: depth))
        kernels.packWeight(w, outputs, depth, &packed, &workspace)
        var first = [UInt32](repeating: 0xabcd, count: rows * roundedStride)
        kernels.round(x, rows, depth + gap, depth, &first, roundedStride)
        for accumulating in [false, true] {
            var expected = [Float](repeating: 3, count: rows * (outputs + 2))
            kernels.multiply(
                first, rows, roundedStride, packed, outputs, pairCount, &expected, outputs + 2, accumulating,
                nothingComing)
            var c = [Float](repeating: 3, count: rows * (outputs + 2))
            var rounded = [UInt32](repeating: 0xabcd, count: rows * roundedStride)
            kernels.multiplyRounding(
                x, rows, depth + gap, depth, &rounded, roundedStride, packed, outputs, &c, outputs + 2, accumulating,
                nothingComing)
            #expect(bits(c) == bits(expected))
            #expect(rounded == first)
        }
        for row in 0..<rows {
            let start = row * roundedStride
            let values = x[(row * (depth + gap))..<(row * (depth + gap) + depth)].map(BFloat16KernelSet.bfloat16)
            #expect(kernels.values(first[start..<(start + lanes)], width: depth) == values)
            #expect(first[(start + lanes)..<(start + roundedStride)].allSatisfy { $0 == 0xabcd })
        }
    }

    @Test(arguments: BFloat16KernelSet.supported, shapes)
    func inputGradientIsTheDocumentedChain(kernels: BFloat16KernelSet, shape: (rows: Int, outputs: Int, depth: Int)) {
        let (rows, outputs, depth) = shape
        var generator = SeededGenerator(seed: UInt64(rows * 1_000_000 + outputs * 1000 + depth))
        let dY = generator.floats(rows * outputs)
        let w = generator.floats(outputs * depth)
        let pairCount = BFloat16Product.pairCount(outputs)
        let stride = kernels.roundedCount(outputs)
        var a = [UInt32](repeating: .max, count: rows * stride)
        kernels.round(dY, rows, outputs, outputs, &a, stride)
        var packed = [UInt32](repeating: .max, count: BFloat16Product.packedCount(outputs: depth, depth: outputs))
        kernels.packTransposedWeight(w, outputs, depth, &packed)
        var dX = [Float](repeating: .nan, count: rows * depth)
        kernels.multiply(a, rows, stride, packed, depth, pairCount, &dX, depth, false, nothingComing)
        var expected = [Float](repeating: 0, count: rows * depth)
        for i in 0..<rows {
            for k in 0..<depth {
                expected[i * depth + k] = BFloat16KernelSet.chain(0, count: outputs) {
                    dY[i * outputs + $0]
                } b: {
                    w[$0 * depth + k]
                }
            }
        }
        #expect(bits(dX) == bits(expected))
    }
}
