import Foundation
import TestSupport

@testable import Models

/// Models of every family: small ones as transformers wrote them (Tools/fixtures/models.py), and ones of random weights that
/// are wide enough for products in several blocks of depth, with widths that no tile divides.
enum ExactnessModel: String, CaseIterable, Sendable {
    case llama = "llama-tiny"
    case qwen2 = "qwen2-tiny"
    case qwen3 = "qwen3-untied"
    case stories = "stories260K"
    case wideLlama
    case wideQwen2
    case wideQwen3

    /// The trained model is beside the project, or not.
    static var present: [Self] { allCases.filter { $0 != .stories || SharedData.isPresent } }

    func parameters(_ precision: Precision) throws -> Parameters {
        switch self {
        case .llama, .qwen2, .qwen3:
            try HuggingFaceDirectory.load(
                URL(filePath: #filePath).deletingLastPathComponent()
                    .appending(path: "../ModelsTests/Fixtures/\(rawValue)"), precision: precision
            ).1
        case .stories:
            try HuggingFaceDirectory.load(
                URL(filePath: SharedData.path("weights/\(rawValue)")), precision: precision
            ).1
        case .wideLlama, .wideQwen2, .wideQwen3:
            try Self.random(wideConfiguration, precision)
        }
    }

    private var wideConfiguration: ModelConfiguration {
        switch self {
        case .wideQwen2:
            ModelConfiguration(
                architecture: .qwen2, hiddenSize: 600, intermediateSize: 1024, layerCount: 2, attentionHeadCount: 10,
                keyValueHeadCount: 5, vocabularySize: 263, maxPositions: 96)
        case .wideQwen3:
            ModelConfiguration(
                architecture: .qwen3, hiddenSize: 72, intermediateSize: 1044, layerCount: 2, attentionHeadCount: 3,
                keyValueHeadCount: 3, headDimension: 40, vocabularySize: 149, maxPositions: 96, tiesEmbeddings: false)
        default:
            ModelConfiguration(
                hiddenSize: 144, intermediateSize: 1101, layerCount: 2, attentionHeadCount: 6, keyValueHeadCount: 2,
                vocabularySize: 331, maxPositions: 96, tiesEmbeddings: false)
        }
    }

    /// Biases and norms are random as well.
    private static func random(_ configuration: ModelConfiguration, _ precision: Precision) throws -> Parameters {
        let parameters = try Parameters.randomized(configuration: configuration, seed: 21, deviation: 0.1)
        var generator = SeededGenerator(seed: 22)
        for entry in parameters.layout.entries where entry.shape.count == 1 {
            for index in 0..<entry.count {
                parameters.pointer[entry.offset + index] += Float.random(in: -0.3...0.3, using: &generator)
            }
        }
        return parameters.copy(precision: precision)
    }
}
