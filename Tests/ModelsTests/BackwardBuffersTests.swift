import Testing

@testable import Models

@Suite struct BackwardBuffersTests {
    /// A weight gradient may need more workspace for fewer rows, so a large batch does not make room for every smaller one.
    @Test(arguments: Precision.allCases)
    func everyBatchFindsTheWorkspaceThatItNeeds(precision: Precision) {
        var shape = ModelConfiguration(
            hiddenSize: 16, intermediateSize: 24, layerCount: 1, attentionHeadCount: 2, keyValueHeadCount: 1,
            vocabularySize: 70, maxPositions: 64)
        shape.precision = precision
        var buffers = BackwardBuffers(configuration: shape)
        for rows in [700, 300, 257, 256, 512, 513, 100, 1] {
            for targets in [rows, max(1, rows / 2)] {
                buffers.prepare(rows: rows, targets: targets, positions: 10)
                let needed = [
                    (rows, shape.hiddenSize), (rows, shape.queryWidth), (rows, shape.intermediateSize),
                    (targets, shape.hiddenSize),
                ].map { WeightGradient.workspaceCount(rows: $0.0, inputs: $0.1, precision: precision) }
                #expect(needed.allSatisfy { $0 <= buffers.productWorkspace.count }, "\(rows) rows, \(targets) targets")
            }
        }
    }
}
