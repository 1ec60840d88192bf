import Kernels
import TestSupport
import Testing

/// One head's queries, keys and values, and causal attention over them in double precision.
struct AttentionCase {
    let positions: Int
    let headDimension: Int
    let stride: Int
    let scale: Float
    private(set) var query: [Float]
    private(set) var key: [Float]
    private(set) var value: [Float]

    /// The same with queries, keys and values rounded to bfloat16.
    var rounded: AttentionCase {
        var copy = self
        copy.query = query.map(BFloat16KernelSet.rounded)
        copy.key = key.map(BFloat16KernelSet.rounded)
        copy.value = value.map(BFloat16KernelSet.rounded)
        return copy
    }

    /// - Parameter keyBias: added to every number of the keys.
    init(positions: Int, headDimension: Int, seed: UInt64, keyBias: Float = 0) {
        var generator = SeededGenerator(seed: seed)
        self.positions = positions
        self.headDimension = headDimension
        stride = headDimension + 5
        scale = 1 / Float(headDimension).squareRoot()
        query = generator.floats(positions * stride, in: -2...2)
        key = generator.floats(positions * stride, in: -2...2).map { $0 + keyBias }
        value = generator.floats(positions * stride, in: -2...2)
    }

    /// Scores of the query at `position` with all keys up to its own.
    private func scores(_ position: Int) -> [Double] {
        (0...position).map { other in
            (0..<headDimension).reduce(0.0) {
                $0 + Double(query[position * stride + $1]) * Double(key[other * stride + $1])
            } * Double(scale)
        }
    }

    /// Softmax weights of the query at `position` and log Σ exp. Where `roundingPowers`, weights are of exp(score -
    /// largest) in bfloat16.
    func weights(_ position: Int, roundingPowers: Bool = false) -> (weights: [Double], logSumExp: Double) {
        let scores = scores(position)
        let largest = scores.max() ?? 0
        let powers = scores.map { Double.power(of: $0 - largest) }
        let sum = powers.reduce(0, +)
        let kept = roundingPowers ? powers.map { Double(BFloat16KernelSet.rounded(Float($0))) } : powers
        let keptSum = kept.reduce(0, +)
        return (kept.map { $0 / keptSum }, largest + Double.logarithm(sum))
    }

    /// Outputs, log Σ exp, and for each output the sum of its terms' magnitudes.
    func reference(roundingPowers: Bool = false) -> (output: [Double], logSumExp: [Double], magnitude: [Double]) {
        var output: [Double] = []
        var logSumExp: [Double] = []
        var magnitude: [Double] = []
        for position in 0..<positions {
            let (weights, total) = weights(position, roundingPowers: roundingPowers)
            logSumExp.append(total)
            for d in 0..<headDimension {
                let terms = (0...position).map { weights[$0] * Double(value[$0 * stride + d]) }
                output.append(terms.reduce(0, +))
                magnitude.append(terms.reduce(0) { $0 + abs($1) })
            }
        }
        return (output, logSumExp, magnitude)
    }

    /// Runs the kernel over chunks of the given sizes, keys and values being stored as their chunk comes.
    func forward(_ kernels: KernelSet, chunks: [Int], compact: Bool) -> (output: [Float], logSumExp: [Float]) {
        let blockOffset = 3
        let blockCount = (positions + 15) / 16
        let pageCount = blockOffset + Attention.blockCount(headDimension: headDimension, compact: compact)
        var pages = [Float](repeating: .nan, count: blockCount * pageCount)
        var output = [Float](repeating: .nan, count: positions * headDimension)
        var logSumExp = [Float](repeating: .nan, count: positions)
        let workspaceCount = kernels.attentionWorkspaceCount(headDimension, positions)
        var workspace = [Float](repeating: .nan, count: workspaceCount + Self.guardCount)
        for index in workspaceCount..<workspace.count { workspace[index] = Float(index) }
        pages.withUnsafeMutableBufferPointer { pages in
            guard let base = pages.baseAddress else { return }
            let blocks = (0..<blockCount).map { base + $0 * pageCount }
            var first = 0
            for chunk in chunks {
                for position in first..<first + chunk {
                    key.withUnsafeBufferPointer { key in
                        value.withUnsafeBufferPointer { value in
                            guard let key = key.baseAddress, let value = value.baseAddress else { return }
                            kernels.attentionStore(
                                key + position * stride, value + position * stride, headDimension, position % 16,
                                compact,
                                blocks[position / 16] + blockOffset)
                        }
                    }
                }
                query.withUnsafeBufferPointer { query in
                    output.withUnsafeMutableBufferPointer { output in
                        logSumExp.withUnsafeMutableBufferPointer { logSumExp in
                            guard let query = query.baseAddress, let output = output.baseAddress else { return }
                            kernels.attentionForward(
                                query + first * stride, stride, chunk, first, 1, headDimension, scale, blocks,
                                blockOffset, compact, output + first * headDimension, headDimension,
                                logSumExp.baseAddress.map { $0 + first }, 1, blocks, 1, blockOffset, &workspace)
                        }
                    }
                }
                first += chunk
            }
        }
        #expect(
            (workspaceCount..<workspace.count).allSatisfy { workspace[$0] == Float($0) }, "beyond the workspace")
        return (output, logSumExp)
    }

    /// Floats behind the workspace that must stay as they are.
    private static let guardCount = 64
}

@Suite struct AttentionTests {
    static let shapes: [(positions: Int, headDimension: Int)] = [
        (1, 8), (5, 16), (16, 24), (17, 32), (37, 64), (70, 8), (130, 32), (50, 128), (33, 20),
    ]

    @Test(arguments: KernelSet.supported, shapes)
    func forwardMatchesDoublePrecision(kernels: KernelSet, shape: (positions: Int, headDimension: Int)) {
        let compact = false
        let attention = AttentionCase(positions: shape.positions, headDimension: shape.headDimension, seed: 5)
        let (output, logSumExp) = attention.forward(kernels, chunks: [shape.positions], compact: compact)
        let reference = attention.reference()
        let sizes = [Double](repeating: 2, count: output.count)
        #expect(worstError(output, reference.output, scale: sizes) < 40 * roundoff)
        #expect(
            worstError(logSumExp, reference.logSumExp, scale: reference.logSumExp.map { max(4, abs($0)) }) < 8
                * roundoff)
    }

    @Test(arguments: KernelSet.supported, [false, true])
    func queriesDoNotDependOnTheirChunk(kernels: KernelSet, compact: Bool) {
        for shape in Self.shapes { queriesDoNotDependOnTheirChunk(kernels, shape, compact: compact) }
    }

    private func queriesDoNotDependOnTheirChunk(
        _ kernels: KernelSet, _ shape: (positions: Int, headDimension: Int), compact: Bool
    ) {
        let attention = AttentionCase(positions: shape.positions, headDimension: shape.headDimension, seed: 6)
        let whole = attention.forward(kernels, chunks: [shape.positions], compact: compact)
        let single = attention.forward(kernels, chunks: [Int](repeating: 1, count: shape.positions), compact: compact)
        #expect(bits(whole.output) == bits(single.output))
        #expect(bits(whole.logSumExp) == bits(single.logSumExp))
        var generator = SeededGenerator(seed: 9)
        for _ in 0..<3 {
            var chunks: [Int] = []
            var left = shape.positions
            while left > 0 {
                chunks.append(min(left, Int.random(in: 1...9, using: &generator)))
                left -= chunks[chunks.count - 1]
            }
            let chunked = attention.forward(kernels, chunks: chunks, compact: compact)
            #expect(bits(whole.output) == bits(chunked.output))
            #expect(bits(whole.logSumExp) == bits(chunked.logSumExp))
        }
    }

    @Test(
        .enabled(if: KernelSet.fused.count > 1, "this machine runs fewer than two variants with FMA"), arguments: shapes
    )
    func fusedVariantsAgreeBitwise(shape: (positions: Int, headDimension: Int)) {
        let attention = AttentionCase(positions: shape.positions, headDimension: shape.headDimension, seed: 7)
        for compact in [false, true] {
            let results = KernelSet.fused.map { attention.forward($0, chunks: [shape.positions], compact: compact) }
            #expect(results.allSatisfy { bits($0.output) == bits(results[0].output) })
            #expect(results.allSatisfy { bits($0.logSumExp) == bits(results[0].logSumExp) })
        }
    }

    /// Over compact blocks queries, keys, values and powers are rounded to bfloat16, and nothing else is. (A power next to a
    /// tie could be rounded to its other neighbour, which would show as an error of up to 2^-8; with these numbers none is.)
    @Test(arguments: KernelSet.supported, shapes)
    func compactBlocksRoundToPairs(kernels: KernelSet, shape: (positions: Int, headDimension: Int)) {
        let attention = AttentionCase(positions: shape.positions, headDimension: shape.headDimension, seed: 10)
        let compact = attention.forward(kernels, chunks: [shape.positions], compact: true)
        let exact = attention.rounded.reference(roundingPowers: true)
        #expect(
            worstError(compact.logSumExp, exact.logSumExp, scale: exact.logSumExp.map { max(4, abs($0)) }) < 8
                * roundoff)
        #expect(worstError(compact.output, exact.output, scale: exact.magnitude) < 40 * roundoff)
    }

    /// Queries at one position, as heads that share their keys have them, give what each gives alone.
    @Test(arguments: KernelSet.supported, [false, true])
    func queriesAtOnePositionDoNotDependOnOneAnother(kernels: KernelSet, compact: Bool) {
        for shape in Self.shapes { queriesAtOnePosition(kernels, shape, compact: compact) }
    }

    private func queriesAtOnePosition(
        _ kernels: KernelSet, _ shape: (positions: Int, headDimension: Int), compact: Bool
    ) {
        let attention = AttentionCase(positions: shape.positions, headDimension: shape.headDimension, seed: 8)
        let (width, stride) = (shape.headDimension, attention.stride)
        let pageCount = Attention.blockCount(headDimension: width, compact: compact)
        let blockCount = (shape.positions + 15) / 16
        var pages = [Float](repeating: .nan, count: blockCount * pageCount)
        var workspace = [Float](repeating: .nan, count: kernels.attentionWorkspaceCount(width, shape.positions))
        pages.withUnsafeMutableBufferPointer { pages in
            guard let base = pages.baseAddress else { return }
            let blocks = (0..<blockCount).map { base + $0 * pageCount }
            for position in 0..<shape.positions {
                kernels.attentionStore(
                    Array(attention.key[(position * stride)...]), Array(attention.value[(position * stride)...]), width,
                    position % 16, compact, blocks[position / 16])
            }
            func forward(_ first: Int, _ count: Int) -> (output: [Float], logSumExp: [Float]) {
                var output = [Float](repeating: 7, count: count * (width + 1))
                var logSumExp = [Float](repeating: 7, count: 2 * count)
                kernels.attentionForward(
                    Array(attention.query[(first * stride)...]), stride, count, shape.positions - 1, 0, width,
                    attention.scale, blocks, 0, compact, &output, width + 1, &logSumExp, 2, nil, 0, 0,
                    &workspace)
                return (output, logSumExp)
            }
            let available = min(7, shape.positions)
            let alone = (0..<available).map { forward($0, 1) }
            for count in 1...available {
                let together = forward(0, count)
                #expect(bits(together.output) == bits(alone[..<count].flatMap(\.output)))
                #expect(bits(together.logSumExp) == bits(alone[..<count].flatMap(\.logSumExp)))
            }
        }
    }
}
