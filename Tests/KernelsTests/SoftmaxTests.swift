import Kernels
import TestSupport
import Testing

@Suite struct SoftmaxTests {
    /// exp(x) of every element: probabilities with scale 1 and logSumExp 0.
    private func exponentials(_ kernels: KernelSet, _ x: [Float]) -> [Float] {
        var result = [Float](repeating: .nan, count: x.count)
        kernels.softmaxProbabilities(x, x.count, 1, 0, &result)
        return result
    }

    @Test(arguments: KernelSet.supported)
    func exponentialKeepsItsBound(kernels: KernelSet) {
        // A dense sweep of the whole range, all of [-1, 1] in steps of 2e-6, and the ends.
        var x = (0..<1_000_000).map { Float(-87.33 + 176.05 * Double($0) / 1_000_000) }
        x += (0..<1_000_000).map { Float(-1 + 2e-6 * Double($0)) }
        x += [-87.336_54, 88.722_83, 0, -0.0]
        let result = exponentials(kernels, x)
        var worst = 0.0
        for (value, power) in zip(x, result) {
            let exact = Double.power(of: Double(value))
            if exact > Double(Float.greatestFiniteMagnitude) { continue }
            worst = max(worst, abs(Double(power) - exact) / Double(Float(exact).ulp))
        }
        #expect(worst <= (kernels.instructionSet == .baseline ? 2 : 1), "\(worst) ulp")
    }

    @Test(arguments: KernelSet.supported)
    func exponentialHasCleanEnds(kernels: KernelSet) {
        let x: [Float] = [-87.34, -100, -1e30, -.infinity, 88.73, 1000, .infinity, .nan, -.nan, 0]
        let result = exponentials(kernels, x)
        #expect(result[0..<4].allSatisfy { $0 == 0 })
        #expect(result[4..<7].allSatisfy { $0 == .infinity })
        #expect(result[7].isNaN && result[8].isNaN)
        #expect(result[9] == 1)
        let payload = Float(bitPattern: 0x7fff_ffff)
        #expect(exponentials(kernels, [payload])[0].isNaN)
    }

    @Test(arguments: KernelSet.supported, oddCounts)
    func matchesDoublePrecision(kernels: KernelSet, count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let x = generator.floats(count, in: -20...20)
        let scale: Float = 1.25
        let y = x.map { Double($0) * Double(scale) }
        let largest = y.max() ?? 0
        let exact = largest + Double.logarithm(y.reduce(0) { $0 + Double.power(of: $1 - largest) })
        let total = kernels.softmaxLogSumExp(x, count, scale)
        // Half a unit of the largest scaled logit's rounding, and half of the result's.
        #expect(abs(Double(total) - exact) <= 25 * 2 * roundoff + 1e-6)

        let p = y.map { Double.power(of: $0 - exact) }
        var result = [Float](repeating: 42, count: count + 1)
        kernels.softmaxProbabilities(x, count, scale, total, &result)
        #expect(result[count] == 42)
        // The difference of two numbers up to 25 carries their roundings into the exponent.
        #expect(worstError(Array(result.prefix(count)), p, scale: p) <= 80 * roundoff * 2)
        #expect(abs(result.prefix(count).reduce(0.0) { $0 + Double($1) } - 1) < 1e-5)

        let entropy = zip(p, y).reduce(0.0) { $0 + $1.0 * (exact - $1.1) }
        #expect(abs(Double(kernels.softmaxEntropy(x, count, scale, total)) - entropy) <= 1e-5 * (1 + entropy))

        let target = count / 3
        var gradient = [Float](repeating: 42, count: count + 1)
        kernels.softmaxGradient(x, count, scale, total, target, -0.7, &gradient)
        #expect(gradient[count] == 42)
        let reference = (0..<count).map { -0.7 * Double(scale) * (($0 == target ? 1 : 0) - p[$0]) }
        #expect(
            worstError(Array(gradient.prefix(count)), reference, scale: [Double](repeating: 1, count: count)) < 1e-5)
    }

    @Test(arguments: KernelSet.supported)
    func largeVocabularyLosesNothing(kernels: KernelSet) {
        let count = 151_936
        var generator = SeededGenerator(seed: 1)
        let x = generator.floats(count, in: -4...4)
        let sum = x.reduce(0.0) { $0 + Double.power(of: Double($1)) }
        #expect(abs(Double(kernels.softmaxLogSumExp(x, count, 1)) - Double.logarithm(sum)) < 2e-6)
    }

    @Test(arguments: KernelSet.supported)
    func maskedAndBrokenLogits(kernels: KernelSet) {
        let masked: [Float] = [-.infinity, 2, -.infinity, 1]
        let total = kernels.softmaxLogSumExp(masked, 4, 1)
        #expect(abs(total - 2.313_261_7) < 1e-6)
        var p = [Float](repeating: .nan, count: 4)
        kernels.softmaxProbabilities(masked, 4, 1, total, &p)
        #expect(p[0] == 0 && p[2] == 0)
        #expect(abs(kernels.softmaxEntropy(masked, 4, 1, total) - 0.582_203_1) < 1e-6)
        #expect(kernels.softmaxLogSumExp([1, .nan], 2, 1).isNaN)
        #expect(kernels.softmaxLogSumExp([1, .infinity], 2, 1).isNaN)
        // Far beyond exp's range, as long as the differences are not.
        #expect(kernels.softmaxLogSumExp([1e6, 1e6], 2, 1) == 1e6 + 0.6875)
    }

    /// Wherever what is not a number stands, and whatever the rest is.
    @Test(arguments: KernelSet.supported)
    func aSumWithWhatIsNotANumberIsNone(kernels: KernelSet) {
        for count in [1, 2, 15, 16, 17, 40] {
            let masked = [Float](repeating: -.infinity, count: count)
            #expect(kernels.softmaxLogSumExp(masked, count, 1) == -.infinity)
            #expect(kernels.softmaxLogSumExp([Float](repeating: .nan, count: count), count, 1).isNaN)
            for place in 0..<count {
                var x = masked
                x[place] = .nan
                #expect(kernels.softmaxLogSumExp(x, count, 1).isNaN)
            }
        }
    }

    @Test(arguments: KernelSet.supported, oddCounts)
    func resultsMayTakeThePlaceOfTheLogits(kernels: KernelSet, count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let x = generator.floats(count, in: -20...20)
        let total = kernels.softmaxLogSumExp(x, count, 1.25)
        /// What is computed beside the logits, and in their place.
        func results(_ compute: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void) -> [[UInt32]] {
            var apart = [Float](repeating: .nan, count: count)
            apart.withUnsafeMutableBufferPointer { apart in
                x.withUnsafeBufferPointer { x in
                    if let x = x.baseAddress, let result = apart.baseAddress { compute(x, result) }
                }
            }
            var own = x
            own.withUnsafeMutableBufferPointer { own in
                if let place = own.baseAddress { compute(place, place) }
            }
            return [bits(apart), bits(own)]
        }
        let probabilities = results { kernels.softmaxProbabilities($0, count, 1.25, total, $1) }
        #expect(probabilities[0] == probabilities[1])
        for target in Set([0, count / 2, count - 1]) where 0..<count ~= target {
            let gradients = results { kernels.softmaxGradient($0, count, 1.25, total, target, -0.7, $1) }
            #expect(gradients[0] == gradients[1])
        }
    }

    @Test(arguments: KernelSet.supported)
    func gradientIsThatOfTheLogProbability(kernels: KernelSet) {
        let count = 19
        let target = 4
        var generator = SeededGenerator(seed: 3)
        let x = generator.floats(count, in: -3...3)
        let scale: Float = 0.8
        var gradient = [Float](repeating: .nan, count: count)
        kernels.softmaxGradient(
            x, count, scale, kernels.softmaxLogSumExp(x, count, scale), target, 1.5, &gradient)
        let numeric = finiteDifferences(x.map(Double.init)) { x in
            let y = x.map { $0 * Double(scale) }
            return 1.5 * (y[target] - Double.logarithm(y.reduce(0) { $0 + Double.power(of: $1) }))
        }
        #expect(worstError(gradient, numeric, scale: [Double](repeating: 1, count: count)) < 1e-6)
    }

    @Test(
        .enabled(if: KernelSet.fused.count > 1, "this machine runs fewer than two variants with FMA"),
        arguments: oddCounts)
    func fusedVariantsAgreeBitwise(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let x = generator.floats(count, in: -20...20)
        let results = KernelSet.fused.map { kernels in
            let total = kernels.softmaxLogSumExp(x, count, 0.9)
            var gradient = [Float](repeating: 0, count: count)
            kernels.softmaxGradient(x, count, 0.9, total, 0, 1, &gradient)
            return bits(gradient + [total, kernels.softmaxEntropy(x, count, 0.9, total)])
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    @Test(arguments: KernelSet.supported, oddCounts)
    func drawTakesTheTokenWhoseShareHoldsTheNumber(kernels: KernelSet, count: Int) {
        guard count > 0 else { return }
        var generator = SeededGenerator(seed: UInt64(count + 1))
        var x = generator.floats(count, in: -6...3)
        for index in stride(from: 1, to: count, by: 3) { x[index] = -.infinity }
        let logSumExp = kernels.softmaxLogSumExp(x, count, 0.8)
        var cumulative: [Double] = []
        var sum = 0.0
        for value in x {
            sum += Double.power(of: Double(value) * Double(Float(0.8)) - Double(logSumExp))
            cumulative.append(sum)
        }
        for step in 0..<2000 {
            let uniform = (Float(step) + 0.37) / 2000
            let drawn = kernels.softmaxDraw(x, count, 0.8, logSumExp, uniform)
            #expect(x[drawn] > -.infinity)
            // Within rounding of a boundary either side is right.
            #expect(cumulative[drawn] > Double(uniform) - 1e-5)
            #expect(drawn == 0 || cumulative[drawn - 1] < Double(uniform) + 1e-5)
        }
        #expect(x[kernels.softmaxDraw(x, count, 0.8, logSumExp, 0.999_999_9)] > -.infinity)
    }
}
