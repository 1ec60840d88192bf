import ArgumentParser
import Learning
import Models
import Tasks
import Training

/// What a benchmark runs on: a model directory, or a built-in shape with random weights.
struct BenchShape: ParsableArguments {
    enum Name: String, ExpressibleByArgument, CaseIterable {
        case tiny, small, qwen05

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
            case .qwen05:
                ModelConfiguration(
                    architecture: .qwen2, hiddenSize: 896, intermediateSize: 4864, layerCount: 24,
                    attentionHeadCount: 14, keyValueHeadCount: 2, vocabularySize: 151_936, maxPositions: 4096)
            }
        }
    }

    @Option(help: "A Hugging Face model directory.")
    var model: String?

    @Option(
        help: """
            Without --model, a Qwen2 of that size: tiny (hidden 256, 4 layers), small (hidden 512, 8 layers) or qwen05 \
            (hidden 896, 24 layers).
            """)
    var shape: Name?

    func validate() throws {
        guard model == nil || shape == nil else { throw ValidationError("give either --model or --shape") }
    }

    /// - Throws: `FormatError`.
    func configurations(default names: [Name], precision: Precision) throws -> [ModelConfiguration] {
        let shapes =
            if let model { [try ModelDirectory.configuration(model)] } else {
                (shape.map { [$0] } ?? names).map(\.configuration)
            }
        return shapes.map { shape in
            var shape = shape
            shape.precision = precision
            return shape
        }
    }

    /// The one model of a benchmark, a built-in shape with as many positions as are needed.
    ///
    /// - Parameter positions: how many `options` take of a model.
    /// - Throws: `FormatError`; `MalformedInput` where a model directory's has not that many positions.
    func configuration(
        precision: Precision, positions: (ModelConfiguration) -> (count: Int, options: String)
    ) throws -> ModelConfiguration {
        var configuration = try configurations(default: [.tiny], precision: precision)[0]
        let needed = positions(configuration)
        guard let model else {
            configuration.maxPositions = max(configuration.maxPositions, needed.count)
            return configuration
        }
        guard configuration.maxPositions >= needed.count else {
            throw MalformedInput(
                file: model + "/config.json", field: "max_position_embeddings",
                problem: "is \(configuration.maxPositions), but \(needed.options) take \(needed.count): ask for less")
        }
        return configuration
    }

    /// What the weights of that model, and one version as it is served, take; a built-in shape's size goes by `positions`.
    func need(of configuration: ModelConfiguration, positions: MemoryCause) -> MemoryNeed {
        if let model { return ModelDirectory.trainingNeed(of: configuration, path: model) }
        let memory = ModelMemory(configuration)
        var need = MemoryNeed()
        need.add(memory.parameters + memory.policyWeights + memory.rotaryTable, positions)
        return need
    }

    /// The model directory, if there is one, its weights unread.
    ///
    /// - Throws: `FormatError`.
    func directory(precision: Precision) throws -> ModelDirectory? {
        try model.map { try ModelDirectory($0, precision: precision, logger: Diagnostics.logger) }
    }

    /// Runs a benchmark on the model. Outcomes that are no numbers come from a directory's weights, if there is one.
    ///
    /// - Throws: what `body` throws, `UnusableModel` in place of such outcomes of a directory's model.
    func measure<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error where error is NonFiniteUpdate || error is FailedUpdate || error is NonFiniteCompletion {
            throw model.map { UnusableModel(path: $0, problem: "\(error); are the weights whole?") } ?? error
        }
    }

    /// What sizes go by that are the model's: fields of a directory's, else `option`.
    func cause(of configuration: ModelConfiguration, or option: MemoryCause) -> MemoryCause {
        model.map { ModelDirectory.weightCause(of: configuration, path: $0) } ?? option
    }

    /// - Throws: `FormatError`.
    func parameters(of configuration: ModelConfiguration) throws -> Parameters {
        if let directory = try directory(precision: configuration.precision) {
            return try directory.weights.parameters()
        }
        return try Parameters.randomized(configuration: configuration, seed: 1)
    }
}
