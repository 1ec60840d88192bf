import Kernels
import TestSupport
import Testing

/// dW += dYᵀ X against the plain chain, bit for bit, at the edges of bands, tiles, panels, blocks and groups.
@Suite struct WeightGradientTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        let rows: Int
        let outputs: Int
        let inputs: Int
        var testDescription: String { "\(rows) rows, \(outputs) outputs, \(inputs) inputs" }
    }

    static let shapes: [Shape] = {
        let outputs = [1, 2, 5, 11, 12, 13, 15, 16, 23, 24, 25, 27, 28, 31, 33, 40, 191, 192, 193]
        let inputs = [1, 15, 16, 17, 31, 32, 33, 47, 64, 70]
        let rows = [1, 2, 3, 15, 16, 17, 33]
        var shapes = outputs.enumerated().flatMap { index, outputs in
            [0, 1, 2].map {
                Shape(
                    rows: rows[(index + $0) % rows.count], outputs: outputs,
                    inputs: inputs[(index + 3 * $0) % inputs.count])
            }
        }
        // Blocks of rows, whose last is shorter or odd.
        shapes += [255, 256, 257, 511, 512, 513, 514, 769, 1025].map { Shape(rows: $0, outputs: 29, inputs: 33) }
        // Groups of panels, the last one narrower.
        shapes += [
            Shape(rows: 256, outputs: 13, inputs: 1060), Shape(rows: 511, outputs: 25, inputs: 545),
            Shape(rows: 30, outputs: 12, inputs: 4200),
        ]
        // Rows a power of two apart.
        shapes.append(Shape(rows: 64, outputs: 256, inputs: 128))
        return shapes
    }()

    private typealias Gradient = (
        UnsafePointer<Float>, Int, UnsafePointer<Float>, Int, Int, Int, Int, UnsafeMutablePointer<Float>,
        UnsafeMutablePointer<Float>
    ) -> Void

    private func expectChains(
        _ shape: Shape, workspace: Int, gradient: Gradient, chain: (Float, (Int) -> Float, (Int) -> Float) -> Float
    ) {
        let (rows, outputs, inputs) = (shape.rows, shape.outputs, shape.inputs)
        var generator = SeededGenerator(seed: UInt64(rows * 1_000_000 + outputs * 1000 + inputs))
        for gap in [0, 3] {
            // What lies between rows would spoil every sum; the last row has nothing behind it.
            let outputStride = outputs + gap
            let inputStride = inputs + gap
            func strided(_ values: [Float], width: Int) -> [Float] {
                var result = [Float](repeating: .nan, count: (rows - 1) * (width + gap) + width)
                for row in 0..<rows {
                    for column in 0..<width { result[row * (width + gap) + column] = values[row * width + column] }
                }
                return result
            }
            let dY = strided(generator.floats(rows * outputs), width: outputs)
            let x = strided(generator.floats(rows * inputs), width: inputs)
            let start = generator.floats(outputs * inputs)
            let guardedOutput = GuardedFloats(dY)
            let guardedInput = GuardedFloats(x)
            let guardedWorkspace = GuardedFloats([Float](repeating: .nan, count: workspace))
            let result = GuardedFloats(start)
            gradient(
                guardedOutput.pointer, outputStride, guardedInput.pointer, inputStride, rows, outputs, inputs,
                result.pointer, guardedWorkspace.pointer)
            var expected = start
            for output in 0..<outputs {
                for input in 0..<inputs {
                    expected[output * inputs + input] = chain(start[output * inputs + input]) {
                        dY[$0 * outputStride + output]
                    } _: {
                        x[$0 * inputStride + input]
                    }
                }
            }
            let different = zip(bits(result.values), bits(expected)).count { $0 != $1 }
            #expect(different == 0, "gap \(gap)")
        }
    }

    @Test(arguments: KernelSet.supported, shapes)
    func singleValuesAreOneChain(kernels: KernelSet, shape: Shape) {
        let isFused = KernelSet.fused.contains { $0.instructionSet == kernels.instructionSet }
        expectChains(
            shape, workspace: kernels.weightGradientWorkspace(shape.rows, shape.inputs),
            gradient: kernels.weightGradient
        ) { start, a, b in
            (0..<shape.rows).reduce(start) { sum, row in
                isFused ? sum.addingProduct(a(row), b(row)) : a(row) * b(row) + sum
            }
        }
    }

    @Test(arguments: BFloat16KernelSet.supported, shapes)
    func pairsAreOneChain(kernels: BFloat16KernelSet, shape: Shape) {
        expectChains(
            shape, workspace: kernels.weightGradientWorkspace(shape.rows, shape.inputs),
            gradient: kernels.weightGradient
        ) { start, a, b in
            BFloat16KernelSet.chain(start, count: shape.rows, a: a, b: b)
        }
    }

    /// Rounding is to nearest even, denormals become zero, and what is not a number stays so.
    @Test(arguments: BFloat16KernelSet.supported)
    func operandsAreRounded(kernels: BFloat16KernelSet) {
        let values: [Float] = [
            1, Float(bitPattern: 0x3f80_8000), Float(bitPattern: 0x3f81_8000), Float(bitPattern: 0x3f81_7fff),
            .leastNonzeroMagnitude, -.leastNormalMagnitude, 3.3895e38, .infinity, .nan, -2.7,
        ]
        for count in [1, 2] {
            // The value in the last row, zeros before it; one output, and inputs of 1.
            for value in values {
                let dY = [Float](repeating: 0, count: count - 1) + [value]
                let x = [Float](repeating: 1, count: count)
                var result: [Float] = [0]
                var workspace = [Float](repeating: .nan, count: kernels.weightGradientWorkspace(count, 1))
                kernels.weightGradient(dY, 1, x, 1, count, 1, 1, &result, &workspace)
                let rounded = BFloat16KernelSet.rounded(value)
                #expect(result[0] == rounded || (result[0].isNaN && rounded.isNaN), "\(value)")
            }
        }
    }

    @Test(arguments: KernelSet.supported)
    func noRowsChangeNothing(kernels: KernelSet) {
        var result: [Float] = [1, 2, 3, 4, 5, 6]
        var workspace = [Float](repeating: .nan, count: kernels.weightGradientWorkspace(0, 3))
        kernels.weightGradient([0], 2, [0], 3, 0, 2, 3, &result, &workspace)
        #expect(result == [1, 2, 3, 4, 5, 6])
    }
}
