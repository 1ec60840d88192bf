import Kernels
import TestSupport
import Testing

/// The counts that reach whole vectors, tails and several blocks.
let oddCounts = [1, 2, 7, 15, 16, 17, 31, 33, 64, 100, 255, 1024, 1043, 5000]

@Suite struct ElementwiseTests {
    @Test(arguments: KernelSet.supported, oddCounts)
    func addScaleAndFillAreExact(kernels: KernelSet, count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let x = generator.floats(count)
        let y = generator.floats(count)
        // One more element shows whether a kernel writes beyond its end.
        var sum = y + [42]
        kernels.elementwiseAdd(x, &sum, count)
        #expect(sum == zip(x, y).map(+) + [42])
        var scaled = x + [42]
        kernels.elementwiseScale(&scaled, 0.37, count)
        #expect(scaled == x.map { $0 * 0.37 } + [42])
        var filled = x + [42]
        kernels.elementwiseFill(&filled, 3, count)
        #expect(filled == [Float](repeating: 3, count: count) + [42])
    }

    @Test(arguments: KernelSet.supported, oddCounts)
    func sumOfSquaresMatchesDoublePrecision(kernels: KernelSet, count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let x = generator.floats(count, in: -1000...1000)
        let reference = x.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(abs(kernels.elementwiseSumOfSquares(x, count) - reference) <= 1e-15 * Double(count) * reference)
    }

    @Test(arguments: KernelSet.supported, oddCounts)
    func finitenessSeesEveryElement(kernels: KernelSet, count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let x = generator.floats(count)
        #expect(kernels.elementwiseIsFinite(x, count))
        for index in Set([0, count / 2, count - 1]) {
            for bad in [Float.nan, .infinity, -.infinity] {
                var broken = x
                broken[index] = bad
                #expect(!kernels.elementwiseIsFinite(broken, count))
            }
        }
    }

    @Test(arguments: KernelSet.supported)
    func nothingIsTheNeutralElement(kernels: KernelSet) {
        let empty: [Float] = [1]
        #expect(kernels.elementwiseSumOfSquares(empty, 0) == 0)
        #expect(kernels.elementwiseIsFinite(empty, 0))
    }
}
