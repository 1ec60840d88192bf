import Kernels
import TestSupport
import Testing

/// Y = X Wᵀ in double precision, and Σ |x w|, the size that rounding errors are relative to.
private struct Reference {
    var values: [Double]
    var sizes: [Double]

    /// Element (i, j) sums a(i, k) b(j, k) over k < depth.
    init(rows: Int, columns: Int, depth: Int, a: (Int, Int) -> Float, b: (Int, Int) -> Float) {
        values = []
        sizes = []
        for i in 0..<rows {
            for j in 0..<columns {
                var sum = 0.0
                var size = 0.0
                for k in 0..<depth {
                    let term = Double(a(i, k)) * Double(b(j, k))
                    sum += term
                    size += abs(term)
                }
                values.append(sum)
                sizes.append(size)
            }
        }
    }
}

@Suite struct MatrixProductTests {
    static let shapes: [(rows: Int, outputs: Int, depth: Int)] = [
        (1, 1, 1), (1, 33, 7), (2, 31, 300), (3, 32, 16), (5, 80, 96), (7, 17, 513), (12, 64, 64), (13, 45, 31),
        (16, 96, 96), (23, 100, 257), (29, 15, 40), (64, 96, 192), (197, 40, 20), (9, 130, 3), (4, 7, 0),
        (17, 100, 2700), (23, 73, 5200), (15, 200, 300),
    ]
    /// Every height of a strip, alone and after others, with whole panels in even and odd numbers, and parts of one.
    static let heights: [(rows: Int, outputs: Int, depth: Int)] = (2...26).flatMap { rows in
        [64, 96, 73, 148].map { (rows, $0, 35) }
    }

    /// X Wᵀ with strides wider than the rows; returns the result with its gaps, which start at 7. Nothing behind the last row of X,
    /// the panels or the last row of the result can be touched.
    private func product(
        _ kernels: KernelSet, _ x: [Float], _ w: [Float], rows: Int, outputs: Int, depth: Int,
        accumulating: Bool = false,
        start: Float = 7
    ) -> [Float] {
        let rowStride = depth + 3
        var padded = [Float](repeating: .nan, count: max(1, rows * rowStride - 3))
        for i in 0..<rows {
            for k in 0..<depth { padded[i * rowStride + k] = x[i * depth + k] }
        }
        var packed = [Float](
            repeating: .nan, count: max(1, MatrixProduct.packedCount(outputs: outputs, depth: depth)))
        kernels.packWeight(w, outputs, depth, &packed)
        let guardedRows = GuardedFloats(padded)
        let guardedPanels = GuardedFloats(packed)
        let result = GuardedFloats([Float](repeating: start, count: rows * (outputs + 2) - 2))
        kernels.multiply(
            guardedRows.pointer, rows, rowStride, guardedPanels.pointer, outputs, depth, result.pointer, outputs + 2,
            accumulating, (UnsafePointer(guardedPanels.pointer), nil, 0, 0, 0))
        return (0..<result.count).map { result.pointer[$0] } + [start, start]
    }

    private func withoutGaps(_ c: [Float], rows: Int, outputs: Int) -> [Float] {
        (0..<rows).flatMap { i in c[i * (outputs + 2)..<i * (outputs + 2) + outputs] }
    }

    @Test(arguments: KernelSet.supported, shapes + heights)
    func multiplyMatchesDoublePrecision(kernels: KernelSet, shape: (rows: Int, outputs: Int, depth: Int)) {
        let (rows, outputs, depth) = shape
        var generator = SeededGenerator(seed: UInt64(rows * 1_000_000 + outputs * 1000 + depth))
        let x = generator.floats(rows * depth)
        let w = generator.floats(outputs * depth)
        let reference = Reference(rows: rows, columns: outputs, depth: depth) {
            x[$0 * depth + $1]
        } b: {
            w[$0 * depth + $1]
        }
        for accumulating in [false, true] {
            let c = product(kernels, x, w, rows: rows, outputs: outputs, depth: depth, accumulating: accumulating)
            let base = accumulating ? 7.0 : 0
            let error = worstError(
                withoutGaps(c, rows: rows, outputs: outputs), reference.values.map { $0 + base },
                scale: reference.sizes.map { $0 + base })
            // A chain of n roundings errs by at most n half-units of the sum of magnitudes; two roundings a step
            // without FMA.
            #expect(error <= 2 * Double(depth + 1) * roundoff)
            for i in 0..<rows {
                #expect(c[i * (outputs + 2) + outputs] == 7)
                #expect(c[i * (outputs + 2) + outputs + 1] == 7)
            }
        }
    }

    @Test(arguments: KernelSet.supported, shapes)
    func inputGradientMatchesDoublePrecision(kernels: KernelSet, shape: (rows: Int, outputs: Int, depth: Int)) {
        let (rows, outputs, depth) = shape
        guard depth > 0 else { return }
        var generator = SeededGenerator(seed: UInt64(rows * 1_000_000 + outputs * 1000 + depth))
        let dY = generator.floats(rows * outputs)
        let w = generator.floats(outputs * depth)
        let reference = Reference(rows: rows, columns: depth, depth: outputs) {
            dY[$0 * outputs + $1]
        } b: {
            w[$1 * depth + $0]
        }
        var packed = [Float](repeating: .nan, count: MatrixProduct.packedCount(outputs: depth, depth: outputs))
        kernels.packTransposedWeight(w, outputs, depth, &packed)
        var dX = [Float](repeating: .nan, count: rows * depth)
        kernels.multiply(dY, rows, outputs, packed, depth, outputs, &dX, depth, false, nothingComing)
        let error = worstError(dX, reference.values, scale: reference.sizes)
        #expect(error <= 2 * Double(outputs + 1) * roundoff)
    }

    private func gradient(
        _ kernels: KernelSet, _ dY: [Float], _ x: [Float], rows: Int, outputs: Int, inputs: Int
    ) -> [Float] {
        var dW = (0..<outputs * inputs).map { Float($0 % 5) }
        var workspace = [Float](repeating: .nan, count: max(1, kernels.weightGradientWorkspace(rows, inputs)))
        kernels.weightGradient(dY, outputs, x, inputs, rows, outputs, inputs, &dW, &workspace)
        return dW
    }

    @Test(arguments: KernelSet.supported, shapes)
    func weightGradientMatchesDoublePrecision(kernels: KernelSet, shape: (rows: Int, outputs: Int, depth: Int)) {
        let (outputs, inputs, rows) = shape
        var generator = SeededGenerator(seed: UInt64(rows * 1_000_000 + outputs * 1000 + inputs))
        let dY = generator.floats(rows * outputs)
        let x = generator.floats(rows * inputs)
        let reference = Reference(rows: outputs, columns: inputs, depth: rows) {
            dY[$1 * outputs + $0]
        } b: {
            x[$1 * inputs + $0]
        }
        let dW = gradient(kernels, dY, x, rows: rows, outputs: outputs, inputs: inputs)
        let start = (0..<outputs * inputs).map { Double($0 % 5) }
        let error = worstError(
            dW, zip(reference.values, start).map(+), scale: zip(reference.sizes, start).map(+))
        #expect(error <= 2 * Double(rows + 1) * roundoff)
    }

    @Test(arguments: KernelSet.supported, shapes + heights)
    func rowsDoNotDependOnTheirBatch(kernels: KernelSet, shape: (rows: Int, outputs: Int, depth: Int)) {
        let (rows, outputs, depth) = shape
        var generator = SeededGenerator(seed: UInt64(rows + outputs + depth))
        let x = generator.floats(rows * depth)
        let w = generator.floats(outputs * depth)
        let all = product(kernels, x, w, rows: rows, outputs: outputs, depth: depth)
        var row = 0
        while row < rows {
            let count = min(Int.random(in: 1...5, using: &generator), rows - row)
            let part = product(
                kernels, Array(x[row * depth..<(row + count) * depth]), w, rows: count, outputs: outputs, depth: depth)
            #expect(bits(part) == bits(Array(all[row * (outputs + 2)..<(row + count) * (outputs + 2)])))
            row += count
        }
    }

    @Test(
        .enabled(if: KernelSet.fused.count > 1, "this machine runs fewer than two variants with FMA"), arguments: shapes
    )
    func fusedVariantsAgreeBitwise(shape: (rows: Int, outputs: Int, depth: Int)) {
        let (rows, outputs, depth) = shape
        var generator = SeededGenerator(seed: UInt64(rows + outputs + depth))
        let x = generator.floats(rows * depth)
        let w = generator.floats(outputs * depth)
        let dY = generator.floats(rows * outputs)
        let products = KernelSet.fused.map { kernels in
            bits(product(kernels, x, w, rows: rows, outputs: outputs, depth: depth, accumulating: true))
        }
        #expect(products.allSatisfy { $0 == products[0] })
        let gradients = KernelSet.fused.map { kernels in
            bits(gradient(kernels, dY, x, rows: rows, outputs: outputs, inputs: depth))
        }
        #expect(gradients.allSatisfy { $0 == gradients[0] })
    }
}
