import Kernels
import TestSupport
import Testing

@Suite struct NormalizationTests {
    static let shapes: [(rows: Int, width: Int)] = [(1, 1), (2, 8), (3, 17), (5, 96), (2, 100), (1, 896), (3, 33)]
    private let epsilon: Float = 1e-5

    private static func reference(_ x: [Double], _ w: [Double], width: Int, epsilon: Double) -> [Double] {
        stride(from: 0, to: x.count, by: width).flatMap { start in
            let row = x[start..<start + width]
            let r = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(width) + epsilon).squareRoot()
            return zip(row, w).map { $0 * r * $1 }
        }
    }

    @Test(arguments: KernelSet.supported, shapes)
    func forwardMatchesDoublePrecision(kernels: KernelSet, shape: (rows: Int, width: Int)) {
        let (rows, width) = shape
        var generator = SeededGenerator(seed: UInt64(width))
        let x = generator.floats(rows * width)
        let w = generator.floats(width)
        var y = [Float](repeating: 42, count: rows * width + 1)
        var r = [Float](repeating: 42, count: rows + 1)
        kernels.normalizationForward(x, w, rows, width, epsilon, &y, &r)
        #expect(y[rows * width] == 42 && r[rows] == 42)
        let reference = Self.reference(
            x.map(Double.init), w.map(Double.init), width: width, epsilon: Double(epsilon))
        #expect(worstError(Array(y.dropLast()), reference, scale: reference.map { abs($0) }) <= 16 * roundoff)
        // A row on its own gives the same bits.
        for row in 0..<rows {
            var single = [Float](repeating: 0, count: width)
            kernels.normalizationForward(
                Array(x[row * width..<(row + 1) * width]), w, 1, width, epsilon, &single, &r)
            #expect(bits(single) == bits(Array(y[row * width..<(row + 1) * width])))
        }
    }

    @Test(arguments: KernelSet.supported, shapes)
    func backwardMatchesFiniteDifferences(kernels: KernelSet, shape: (rows: Int, width: Int)) {
        let (rows, width) = shape
        guard width <= 100 else { return }
        var generator = SeededGenerator(seed: UInt64(width))
        let x = generator.floats(rows * width)
        let w = generator.floats(width)
        let dy = generator.floats(rows * width)
        var y = [Float](repeating: 0, count: rows * width)
        var r = [Float](repeating: 0, count: rows)
        kernels.normalizationForward(x, w, rows, width, epsilon, &y, &r)
        var dx = [Float](repeating: 0.5, count: rows * width)
        var dw = [Float](repeating: 0.25, count: width)
        kernels.normalizationBackward(dy, x, w, r, rows, width, &dx, &dw)
        let wide = (x: x.map(Double.init), w: w.map(Double.init), dy: dy.map(Double.init))
        func loss(_ x: [Double], _ w: [Double]) -> Double {
            zip(Self.reference(x, w, width: width, epsilon: Double(epsilon)), wide.dy).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let numericX = finiteDifferences(wide.x) { loss($0, wide.w) }.map { $0 + 0.5 }
        let numericW = finiteDifferences(wide.w) { loss(wide.x, $0) }.map { $0 + 0.25 }
        #expect(worstError(dx, numericX, scale: numericX.map { 1 + abs($0) }) < 2e-6)
        #expect(worstError(dw, numericW, scale: numericW.map { 1 + abs($0) }) < 2e-6)
    }
}

@Suite struct SwiGLUTests {
    static let shapes: [(rows: Int, width: Int)] = [(1, 1), (3, 16), (2, 21), (4, 96), (1, 300)]

    private static func reference(_ x: [Double], width: Int) -> [Double] {
        stride(from: 0, to: x.count, by: 2 * width).flatMap { start in
            (0..<width).map { column in
                let gate = x[start + column]
                return gate / (1 + Double.power(of: -gate)) * x[start + width + column]
            }
        }
    }

    @Test(arguments: KernelSet.supported, shapes)
    func matchesDoublePrecisionAndFiniteDifferences(kernels: KernelSet, shape: (rows: Int, width: Int)) {
        let (rows, width) = shape
        var generator = SeededGenerator(seed: UInt64(width))
        let x = generator.floats(rows * 2 * width, in: -6...6)
        let dy = generator.floats(rows * width)
        var y = [Float](repeating: 42, count: rows * width + 1)
        kernels.gatedForward(x, rows, width, &y)
        #expect(y[rows * width] == 42)
        let wide = x.map(Double.init)
        let reference = Self.reference(wide, width: width)
        #expect(worstError(Array(y.dropLast()), reference, scale: reference.map { abs($0) }) <= 12 * roundoff)

        var gradient = [Float](repeating: 42, count: rows * 2 * width + 1)
        kernels.gatedBackward(x, dy, rows, width, &gradient)
        #expect(gradient[rows * 2 * width] == 42)
        // Every element's own derivative: the loss of one row suffices, since rows and columns do not mix.
        for row in 0..<rows {
            for column in [0, width / 2, width - 1] {
                let pair = [wide[row * 2 * width + column], wide[row * 2 * width + width + column]]
                let numeric = finiteDifferences(pair) {
                    Self.reference($0, width: 1)[0] * Double(dy[row * width + column])
                }
                #expect(abs(Double(gradient[row * 2 * width + column]) - numeric[0]) < 4e-6)
                #expect(abs(Double(gradient[row * 2 * width + width + column]) - numeric[1]) < 4e-6)
            }
        }
    }

    @Test(arguments: KernelSet.supported)
    func extremeGatesSaturate(kernels: KernelSet) {
        let x: [Float] = [-200, 200, 0, 3, 4, 5]
        var y = [Float](repeating: .nan, count: 3)
        kernels.gatedForward(x, 1, 3, &y)
        #expect(y[0] == 0 && y[1] == 800 && y[2] == 0)
        var gradient = [Float](repeating: .nan, count: 6)
        kernels.gatedBackward(x, [1, 1, 1], 1, 3, &gradient)
        #expect(gradient.allSatisfy { $0.isFinite })
        #expect(gradient[0] == 0 && gradient[1] == 4)
    }
}

@Suite struct RotaryEmbeddingTests {
    static let shapes: [(heads: Int, headDimension: Int)] = [(1, 8), (3, 16), (2, 24), (2, 32), (1, 64), (2, 128)]

    @Test(arguments: KernelSet.supported, shapes)
    func rotatesPairsAndBack(kernels: KernelSet, shape: (heads: Int, headDimension: Int)) {
        let (heads, dimension) = shape
        let rows = 5
        let half = dimension / 2
        let stride = heads * dimension + 3
        var generator = SeededGenerator(seed: UInt64(dimension))
        let positions: [Int32] = [0, 3, 3, 11, 1]
        let angles = (0..<12).flatMap { position in
            (0..<half).map { Double(position) * Double.power(of: -Double($0) / Double(half) * 9.2) }
        }
        let cosine = angles.map { Float(Double.cosine($0)) }
        let sine = angles.map { Float(Double.sine($0)) }
        let x = generator.floats(rows * stride)
        var rotated = x
        kernels.rotaryApply(&rotated, rows, stride, heads, dimension, positions, cosine, sine)
        var reference = x.map(Double.init)
        for row in 0..<rows {
            for head in 0..<heads {
                for d in 0..<half {
                    let index = row * stride + head * dimension + d
                    let angle = Int(positions[row]) * half + d
                    let (a, b) = (Double(x[index]), Double(x[index + half]))
                    reference[index] = a * Double(cosine[angle]) - b * Double(sine[angle])
                    reference[index + half] = b * Double(cosine[angle]) + a * Double(sine[angle])
                }
            }
        }
        #expect(worstError(rotated, reference, scale: [Double](repeating: 1, count: x.count)) <= 3 * roundoff)
        // What stands between the rows is left alone.
        #expect((0..<rows).allSatisfy { rotated[$0 * stride + stride - 1] == x[$0 * stride + stride - 1] })
        kernels.rotaryApplyInverse(&rotated, rows, stride, heads, dimension, positions, cosine, sine)
        #expect(
            worstError(rotated, x.map(Double.init), scale: [Double](repeating: 1, count: x.count)) <= 8 * roundoff)
    }
}

@Suite struct AdamWTests {
    @Test(arguments: KernelSet.supported, oddCounts)
    func matchesDoublePrecision(kernels: KernelSet, count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        var parameters = generator.floats(count) + [42]
        var first = [Float](repeating: 0, count: count)
        var second = [Float](repeating: 0, count: count)
        var reference = parameters.dropLast().map(Double.init)
        var m = [Double](repeating: 0, count: count)
        var v = [Double](repeating: 0, count: count)
        for step in 1...4 {
            let gradients = generator.floats(count)
            let (correction1, correction2) = (1 - raised(0.9, step), 1 - raised(0.95, step))
            kernels.adamWUpdate(
                &parameters, gradients, &first, &second, count, Float(1 - 0.01 * 0.1), 0.1, 0.95, 0.05,
                Float(0.01 / correction1), Float(1 / correction2.squareRoot()), 1e-8, 0.5)
            for index in 0..<count {
                let g = 0.5 * Double(gradients[index])
                m[index] = 0.9 * m[index] + 0.1 * g
                v[index] = 0.95 * v[index] + 0.05 * g * g
                reference[index] *= 1 - 0.01 * 0.1
                reference[index] -= 0.01 / correction1 * m[index] / ((v[index] / correction2).squareRoot() + 1e-8)
            }
        }
        #expect(parameters[count] == 42)
        let sizes = [Double](repeating: 1, count: count)
        #expect(worstError(Array(parameters.dropLast()), reference, scale: sizes) < 8 * roundoff)
        #expect(worstError(first, m, scale: sizes) < 4 * roundoff)
        #expect(worstError(second, v, scale: sizes) < 4 * roundoff)
    }

    private func raised(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { power, _ in power * base }
    }
}

@Suite struct LayerVariantTests {
    @Test(
        .enabled(if: KernelSet.fused.count > 1, "this machine runs fewer than two variants with FMA"),
        arguments: [1, 8, 21, 96, 133])
    func fusedVariantsAgreeBitwise(width: Int) {
        let rows = 3
        var generator = SeededGenerator(seed: UInt64(width))
        let x = generator.floats(rows * width, in: -4...4)
        let gateUp = generator.floats(rows * 2 * width, in: -4...4)
        let dy = generator.floats(rows * width)
        let weight = generator.floats(width)
        let results = KernelSet.fused.map { kernels in
            var y = [Float](repeating: 0, count: rows * width)
            var r = [Float](repeating: 0, count: rows)
            var dx = y
            var dw = [Float](repeating: 0, count: width)
            kernels.normalizationForward(x, weight, rows, width, 1e-6, &y, &r)
            kernels.normalizationBackward(dy, x, weight, r, rows, width, &dx, &dw)
            var gated = y
            var gradient = gateUp
            kernels.gatedForward(gateUp, rows, width, &gated)
            kernels.gatedBackward(gateUp, dy, rows, width, &gradient)
            var parameters = x
            var first = dy
            var second = dx.map { $0 * $0 }
            kernels.adamWUpdate(
                &parameters, y, &first, &second, rows * width, 0.99, 0.1, 0.95, 0.05, 0.01, 1.2, 1e-8, 0.3)
            return bits(y + r + dx + dw + gated + gradient + parameters + first + second)
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }
}
