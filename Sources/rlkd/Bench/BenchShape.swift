import ArgumentParser
import Models
import StructureRewards

/// What a benchmark runs on: a model directory, or a built-in shape with random weights.
struct BenchShape: ParsableArguments {
    enum Name: String, ExpressibleByArgument, CaseIterable {
        case tiny, small

        /// A Qwen2 of that size.
        var configuration: ModelConfiguration {
            switch self {
            case .tiny:
                ModelConfiguration(
                    architecture: .qwen2, hiddenSize: 256, intermediateSize: 704, layerCount: 4, attentionHeadCount: 4,
                    keyValueHeadCount: 2, vocabularySize: 512, maxPositions: 4096)
            case .small:
                ModelConfiguration(
                    architecture: .qwen2, hiddenSize: 512, intermediateSize: 1408, layerCount: 8, attentionHeadCount: 8,
                    keyValueHeadCount: 2, vocabularySize: 4096, maxPositions: 4096)
            }
        }
    }

    @Option(help: "A Hugging Face model directory.")
    var model: String?

    @Option(help: "Without --model, a Qwen2 of that size: tiny (hidden 256, 4 layers) or small (hidden 512, 8 layers).")
    var shape: Name?

    func validate() throws {
        guard model == nil || shape == nil else { throw ValidationError("give either --model or --shape") }
    }

    /// - Throws: `FormatError`.
    func configurations(default names: [Name]) throws -> [ModelConfiguration] {
        if let model { return [try ModelDirectory(model).configuration] }
        return (shape.map { [$0] } ?? names).map(\.configuration)
    }

    /// - Throws: `FormatError`; `MalformedInput` where the model has not that many positions.
    func parameters(positions: Int) throws -> Parameters {
        if let model {
            let parameters = try ModelDirectory(model).parameters
            guard parameters.configuration.maxPositions >= positions else {
                throw MalformedInput(
                    file: model + "/config.json", field: "max_position_embeddings",
                    problem: "is \(parameters.configuration.maxPositions), but the benchmark needs \(positions)")
            }
            return parameters
        }
        var configuration = (shape ?? .tiny).configuration
        configuration.maxPositions = max(configuration.maxPositions, positions)
        return try Parameters.randomized(configuration: configuration, seed: 1)
    }
}
