import Foundation
import Kernels
import Testing

/// What PyTorch computes in double precision for inputs that are exact in single precision;
/// `Tools/fixtures/kernels_cases.py`.
struct KernelFixture: Decodable {
    struct AttentionValues: Decodable {
        let positions: Int
        let headDimension: Int
        let scale: Double
        let query, key, value, outputGradient: [Float]
        let output, queryGradient, keyGradient, valueGradient: [Double]
    }

    struct NormalizationValues: Decodable {
        let rows: Int
        let width: Int
        let epsilon: Float
        let input, weight, outputGradient: [Float]
        let output, inputGradient, weightGradient: [Double]
    }

    struct GatedValues: Decodable {
        let rows: Int
        let width: Int
        let gateUp, outputGradient: [Float]
        let output, gateUpGradient: [Double]
    }

    struct RotaryValues: Decodable {
        let rows: Int
        let heads: Int
        let headDimension: Int
        let input, cosine, sine: [Float]
        let output: [Double]
    }

    struct AdamValues: Decodable {
        let learningRate, beta1, beta2, epsilon, weightDecay: Double
        let count: Int
        let start: [Float]
        let gradients: [[Float]]
        let parameters: [[Double]]
    }

    struct SoftmaxValues: Decodable {
        let count: Int
        let target: Int
        let scale: Float
        let logits: [Float]
        let logSumExp, logProbability, entropy: Double
        let probabilities, gradient: [Double]
    }

    let attention: AttentionValues
    let normalization: NormalizationValues
    let gated: GatedValues
    let rotary: RotaryValues
    let adam: AdamValues
    let softmax: SoftmaxValues

    static func load() throws -> KernelFixture {
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("Tools/fixtures/kernels_cases.json")
        return try JSONDecoder().decode(KernelFixture.self, from: Data(contentsOf: file))
    }
}

/// The public entry points, in the variant this process has chosen, against PyTorch.
@Suite struct FixtureTests {
    private let fixture: KernelFixture

    init() throws {
        fixture = try KernelFixture.load()
    }

    private func expectClose(
        _ values: [Float], _ references: [Double], within tolerance: Double = 2e-6,
        location: SourceLocation = #_sourceLocation
    ) {
        let error = worstError(values, references, scale: references.map { 1 + abs($0) })
        #expect(error < tolerance, sourceLocation: location)
    }

    @Test func attention() {
        let values = fixture.attention
        let (positions, dimension) = (values.positions, values.headDimension)
        let blockCount = (positions + Attention.blockLength - 1) / Attention.blockLength
        let floats = Attention.blockCount(headDimension: dimension, compact: false)
        var pages = [Float](repeating: .nan, count: blockCount * floats)
        var output = [Float](repeating: .nan, count: positions * dimension)
        var logSumExp = [Float](repeating: .nan, count: positions)
        var workspace = [Float](
            repeating: .nan, count: Attention.workspaceCount(headDimension: dimension, maximumPositions: positions))
        pages.withUnsafeMutableBufferPointer { pages in
            guard let base = pages.baseAddress else { return }
            let blocks = (0..<blockCount).map { base + $0 * floats }
            for position in 0..<positions {
                Attention.store(
                    key: Array(values.key[(position * dimension)...]),
                    value: Array(values.value[(position * dimension)...]),
                    headDimension: dimension, slot: position % 16, compact: false, block: blocks[position / 16])
            }
            Attention.forward(
                query: values.query, queryStride: dimension, queryCount: positions, firstPosition: 0,
                positions: .consecutive, headDimension: dimension, scale: Float(values.scale), blocks: blocks,
                blockOffset: 0, compact: false, output: &output,
                outputStride: dimension, logSumExp: &logSumExp, workspace: &workspace)
        }
        expectClose(output, values.output)
        var queryGradient = [Float](repeating: .nan, count: positions * dimension)
        var keyGradient = [Float](repeating: 0, count: positions * dimension)
        var valueGradient = [Float](repeating: 0, count: positions * dimension)
        workspace = [Float](
            repeating: .nan, count: Attention.backwardWorkspaceCount(headDimension: dimension, positions: positions))
        Attention.backward(
            query: values.query, queryStride: dimension, queryCount: positions, firstPosition: 0, key: values.key,
            value: values.value, keyValueStride: dimension, headDimension: dimension, scale: Float(values.scale),
            compact: false, outputGradient: values.outputGradient, outputStride: dimension, logSumExp: logSumExp,
            queryGradient: &queryGradient, queryGradientStride: dimension, keyGradient: &keyGradient,
            valueGradient: &valueGradient, keyValueGradientStride: dimension, workspace: &workspace)
        expectClose(queryGradient, values.queryGradient)
        expectClose(keyGradient, values.keyGradient)
        expectClose(valueGradient, values.valueGradient)
    }

    @Test func normalization() {
        let values = fixture.normalization
        let (rows, width) = (values.rows, values.width)
        var output = [Float](repeating: .nan, count: rows * width)
        var reciprocal = [Float](repeating: .nan, count: rows)
        Normalization.forward(
            input: values.input, weight: values.weight, rows: rows, width: width, epsilon: values.epsilon,
            output: &output, reciprocal: &reciprocal)
        expectClose(output, values.output)
        var inputGradient = [Float](repeating: 0, count: rows * width)
        var weightGradient = [Float](repeating: 0, count: width)
        Normalization.backward(
            outputGradient: values.outputGradient, input: values.input, weight: values.weight, reciprocal: reciprocal,
            rows: rows, width: width, inputGradient: &inputGradient, weightGradient: &weightGradient)
        expectClose(inputGradient, values.inputGradient)
        expectClose(weightGradient, values.weightGradient)
    }

    @Test func gatedUnit() {
        let values = fixture.gated
        var output = [Float](repeating: .nan, count: values.rows * values.width)
        SwiGLU.forward(gateUp: values.gateUp, rows: values.rows, width: values.width, output: &output)
        expectClose(output, values.output)
        var gradient = [Float](repeating: .nan, count: values.rows * values.width * 2)
        SwiGLU.backward(
            gateUp: values.gateUp, outputGradient: values.outputGradient, rows: values.rows, width: values.width,
            gateUpGradient: &gradient)
        expectClose(gradient, values.gateUpGradient)
    }

    @Test func rotary() {
        let values = fixture.rotary
        var x = values.input
        RotaryEmbedding.apply(
            &x, rows: values.rows, rowStride: values.heads * values.headDimension, heads: values.heads,
            headDimension: values.headDimension, positions: (0..<values.rows).map(Int32.init), cosine: values.cosine,
            sine: values.sine)
        expectClose(x, values.output)
        RotaryEmbedding.applyInverse(
            &x, rows: values.rows, rowStride: values.heads * values.headDimension, heads: values.heads,
            headDimension: values.headDimension, positions: (0..<values.rows).map(Int32.init), cosine: values.cosine,
            sine: values.sine)
        expectClose(x, values.input.map(Double.init))
    }

    @Test func adam() {
        let values = fixture.adam
        var parameters = values.start
        var first = [Float](repeating: 0, count: values.count)
        var second = [Float](repeating: 0, count: values.count)
        for (index, gradients) in values.gradients.enumerated() {
            AdamW.update(
                parameters: &parameters, gradients: gradients, firstMoment: &first, secondMoment: &second,
                count: values.count, learningRate: values.learningRate, beta1: values.beta1, beta2: values.beta2,
                epsilon: values.epsilon, weightDecay: values.weightDecay, step: index + 1, gradientScale: 1)
            expectClose(parameters, values.parameters[index], within: 3e-7)
        }
    }

    @Test func softmax() {
        let values = fixture.softmax
        let total = Softmax.logSumExp(values.logits, count: values.count, scale: values.scale)
        expectClose([total], [values.logSumExp])
        let logit = values.logits[values.target]
        expectClose(
            [Softmax.logProbability(logit: logit, scale: values.scale, logSumExp: total)], [values.logProbability])
        expectClose(
            [Softmax.entropy(values.logits, count: values.count, scale: values.scale, logSumExp: total)],
            [values.entropy])
        var result = [Float](repeating: .nan, count: values.count)
        Softmax.probabilities(
            values.logits, count: values.count, scale: values.scale, logSumExp: total, into: &result)
        expectClose(result, values.probabilities)
        Softmax.gradient(
            values.logits, count: values.count, scale: values.scale, logSumExp: total, target: values.target,
            coefficient: 1, into: &result)
        expectClose(result, values.gradient)
    }
}
