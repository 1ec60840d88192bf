import Kernels
import TestSupport
import Testing

extension AttentionCase {
    /// Gradients of queries from `firstPosition` on, of all keys and of all values.
    struct Gradients {
        var query: [Float]
        var key: [Float]
        var value: [Float]
    }

    /// Runs the backward kernel on rows `stride` apart, behind the forward one; key and value gradients start at `start`.
    func backward(
        _ kernels: KernelSet, firstPosition: Int, upstream: [Float], start: Float = 0, compact: Bool = false
    ) -> Gradients {
        let queryCount = positions - firstPosition
        let logSumExp = forward(kernels, chunks: [positions], compact: compact).logSumExp
        var gradients = Gradients(
            query: [Float](repeating: 42, count: queryCount * stride),
            key: [Float](repeating: start, count: positions * stride),
            value: [Float](repeating: start, count: positions * stride))
        var workspace = [Float](
            repeating: .nan, count: kernels.attentionBackwardWorkspaceCount(headDimension, positions))
        kernels.attentionBackward(
            Array(query[(firstPosition * stride)...]), stride, queryCount, firstPosition, key, value, stride,
            headDimension, scale, compact, upstream, headDimension, Array(logSumExp[firstPosition...]),
            &gradients.query, stride, &gradients.key, &gradients.value, stride,
            &workspace)
        return gradients
    }

    /// The same in double precision, by the chain rule on the dense softmax.
    func backwardReference(firstPosition: Int, upstream: [Float]) -> (query: [Double], key: [Double], value: [Double]) {
        var dQ = [Double](repeating: 0, count: (positions - firstPosition) * headDimension)
        var dK = [Double](repeating: 0, count: positions * headDimension)
        var dV = dK
        for position in firstPosition..<positions {
            let index = position - firstPosition
            let (p, _) = weights(position)
            let dP = (0...position).map { other in
                (0..<headDimension).reduce(0.0) {
                    $0 + Double(upstream[index * headDimension + $1]) * Double(value[other * stride + $1])
                }
            }
            let mean = zip(p, dP).reduce(0.0) { $0 + $1.0 * $1.1 }
            for other in 0...position {
                let slope = Double(scale) * p[other] * (dP[other] - mean)
                for d in 0..<headDimension {
                    dQ[index * headDimension + d] += slope * Double(key[other * stride + d])
                    dK[other * headDimension + d] += slope * Double(query[position * stride + d])
                    dV[other * headDimension + d] += p[other] * Double(upstream[index * headDimension + d])
                }
            }
        }
        return (dQ, dK, dV)
    }

    /// The first `headDimension` of every row of `rows`.
    func withoutGaps(_ rows: [Float]) -> [Float] {
        Swift.stride(from: 0, to: rows.count, by: stride).flatMap { rows[$0..<$0 + headDimension] }
    }
}

@Suite struct AttentionBackwardTests {
    static let cases: [(positions: Int, headDimension: Int, firstPosition: Int)] = [
        (1, 8, 0), (5, 16, 0), (17, 24, 0), (33, 32, 7), (40, 64, 16), (70, 8, 33), (67, 20, 50), (31, 128, 30),
        (64, 48, 0),
    ]

    @Test(arguments: KernelSet.supported, cases)
    func matchesDoublePrecision(
        kernels: KernelSet, shape: (positions: Int, headDimension: Int, firstPosition: Int)
    ) {
        let attention = AttentionCase(positions: shape.positions, headDimension: shape.headDimension, seed: 11)
        var generator = SeededGenerator(seed: 12)
        let upstream = generator.floats((shape.positions - shape.firstPosition) * shape.headDimension)
        let start: Float = 0.5
        let gradients = attention.backward(
            kernels, firstPosition: shape.firstPosition, upstream: upstream, start: start)
        let reference = attention.backwardReference(firstPosition: shape.firstPosition, upstream: upstream)
        for (values, exact) in [
            (attention.withoutGaps(gradients.query), reference.query),
            (attention.withoutGaps(gradients.key), reference.key.map { $0 + Double(start) }),
            (attention.withoutGaps(gradients.value), reference.value.map { $0 + Double(start) }),
        ] {
            let size = exact.reduce(1.0) { max($0, abs($1)) }
            #expect(worstError(values, exact, scale: [Double](repeating: size, count: exact.count)) < 2e-6)
        }
        // Only the head's columns are written.
        let stride = attention.stride
        #expect((0..<shape.positions).allSatisfy { gradients.key[$0 * stride + stride - 1] == start })
        #expect((0..<shape.positions).allSatisfy { gradients.value[$0 * stride + stride - 1] == start })
    }

    /// Keys that have much in common shift all scores of a query alike, by what the query was rounded by too: the gradients are
    /// those of the rounded numbers, and a key's share that is common to all adds nothing to a query's.
    @Test(arguments: KernelSet.supported, cases)
    func isOfTheScoresThatForwardHad(
        kernels: KernelSet, shape: (positions: Int, headDimension: Int, firstPosition: Int)
    ) {
        let attention = AttentionCase(
            positions: shape.positions, headDimension: shape.headDimension, seed: 17, keyBias: 50)
        var generator = SeededGenerator(seed: 18)
        let upstream = generator.floats((shape.positions - shape.firstPosition) * shape.headDimension)
        let gradients = attention.backward(
            kernels, firstPosition: shape.firstPosition, upstream: upstream, compact: true)
        let reference = attention.rounded.backwardReference(firstPosition: shape.firstPosition, upstream: upstream)
        for (values, exact) in [
            (attention.withoutGaps(gradients.query), reference.query),
            (attention.withoutGaps(gradients.key), reference.key),
            (attention.withoutGaps(gradients.value), reference.value),
        ] {
            let size = exact.reduce(1.0) { max($0, abs($1)) }
            #expect(worstError(values, exact, scale: [Double](repeating: size, count: exact.count)) < 1e-4)
        }
    }

    @Test func referenceAgreesWithFiniteDifferences() {
        let attention = AttentionCase(positions: 4, headDimension: 3, seed: 13)
        var generator = SeededGenerator(seed: 14)
        let upstream = generator.floats(4 * 3)
        let reference = attention.backwardReference(firstPosition: 0, upstream: upstream)
        func loss(_ query: [Double], _ key: [Double], _ value: [Double]) -> Double {
            (0..<4).reduce(0) { total, position in
                let scores = (0...position).map { other in
                    (0..<3).reduce(0) { $0 + query[position * 3 + $1] * key[other * 3 + $1] } * Double(attention.scale)
                }
                let powers = scores.map { Double.power(of: $0) }
                let sum = powers.reduce(0, +)
                return (0...position).reduce(total) { total, other in
                    (0..<3).reduce(total) {
                        $0 + powers[other] / sum * value[other * 3 + $1] * Double(upstream[position * 3 + $1])
                    }
                }
            }
        }
        let query = attention.withoutGaps(attention.query).map(Double.init)
        let key = attention.withoutGaps(attention.key).map(Double.init)
        let value = attention.withoutGaps(attention.value).map(Double.init)
        for (numeric, exact) in [
            (finiteDifferences(query) { loss($0, key, value) }, reference.query),
            (finiteDifferences(key) { loss(query, $0, value) }, reference.key),
            (finiteDifferences(value) { loss(query, key, $0) }, reference.value),
        ] {
            #expect(zip(numeric, exact).allSatisfy { abs($0 - $1) < 1e-8 })
        }
    }

    @Test(
        .enabled(if: KernelSet.fused.count > 1, "this machine runs fewer than two variants with FMA"), arguments: cases)
    func fusedVariantsAgreeBitwise(shape: (positions: Int, headDimension: Int, firstPosition: Int)) {
        let attention = AttentionCase(positions: shape.positions, headDimension: shape.headDimension, seed: 15)
        var generator = SeededGenerator(seed: 16)
        let upstream = generator.floats((shape.positions - shape.firstPosition) * shape.headDimension)
        let results = KernelSet.fused.map { kernels in
            let gradients = attention.backward(kernels, firstPosition: shape.firstPosition, upstream: upstream)
            return bits(gradients.query + gradients.key + gradients.value)
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }
}
