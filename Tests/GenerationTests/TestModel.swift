import Models

/// A small random model whose next tokens are far from certain.
enum TestModel {
    static func parameters(
        seed: UInt64 = 7, maxPositions: Int = 96, vocabularySize: Int = 53, precision: Precision = .float32
    ) throws -> Parameters {
        var configuration = ModelConfiguration(
            hiddenSize: 48, intermediateSize: 80, layerCount: 2, attentionHeadCount: 4, keyValueHeadCount: 2,
            vocabularySize: vocabularySize, maxPositions: maxPositions)
        configuration.precision = precision
        let parameters = try Parameters.randomized(configuration: configuration, seed: seed)
        for index in 0..<parameters.count {
            parameters.pointer[index] *= 4
        }
        return parameters
    }
}
