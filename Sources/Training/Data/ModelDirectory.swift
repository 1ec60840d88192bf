import Files
import Foundation
import Logging
import Models
import Tokenizers

/// A Hugging Face directory, checked, with its tokenizer where it has one; the weights are still in their files.
public struct ModelDirectory: Sendable {
    public let path: String
    public let weights: StoredWeights
    /// Nil where there is no tokenizer; rows of tokens can be served all the same.
    public let tokenizer: Tokenizer?

    public var configuration: ModelConfiguration { weights.configuration }

    /// What ends a completion: the tokenizer's token, the model's, and those of generation_config.json, which transformers goes by.
    public var endTokens: [Int32] {
        var found = tokenizer?.end.map { [$0] } ?? []
        let others = configuration.endTokens + (storedGeneration?.endTokens ?? [])
        for token in others where !found.contains(token) { found.append(token) }
        return found
    }

    /// Nil where there is no generation_config.json.
    private let storedGeneration: GenerationConfiguration?

    /// For what is trained from this model: its generation_config.json, with all of `endTokens`.
    public var generation: GenerationConfiguration {
        var generation = storedGeneration ?? GenerationConfiguration(configuration)
        generation.end(at: endTokens)
        return generation
    }

    /// What starts a sequence.
    public var beginning: Int32? { tokenizer?.beginning ?? configuration.beginningToken }

    /// - Parameter logger: told of tensors that the model has no use for.
    /// - Throws: `FormatError` naming the file and the field, also for a vocabulary larger than the model's; `InsufficientMemory`
    ///   where not even the weights as they are served would fit.
    public init(_ path: String, precision: Precision = .float32, logger: Logger) throws {
        self.path = path
        let url = URL(fileURLWithPath: path)
        try Self.leastNeed(of: Self.configuration(path), precision: precision, path: path).check()
        weights = try HuggingFaceDirectory.open(url, precision: precision) { text in
            logger.warning("\(text)")
        }
        if Self.holdsAdapter(path) {
            logger.warning("\(path)/\(Self.adapterName): is not applied: only the model's own weights are read")
        }
        storedGeneration = try GenerationConfiguration(directory: url)
        guard Tokenizer.isPresent(in: url) else {
            tokenizer = nil
            return
        }
        let tokenizer = try Tokenizer(directory: url)
        guard tokenizer.vocabularySize <= weights.configuration.vocabularySize else {
            throw FormatError(
                file: path, field: "vocabulary of the tokenizer",
                reason: "has ids up to \(tokenizer.vocabularySize - 1), which config.json's vocab_size of "
                    + "\(weights.configuration.vocabularySize) leaves no room for")
        }
        self.tokenizer = tokenizer
    }

    private static let adapterName = "adapter_config.json"

    private static func holdsAdapter(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path + "/" + adapterName)
    }

    /// The shape alone.
    ///
    /// - Throws: `FormatError`, also for a directory of adapters without their model.
    public static func configuration(_ path: String) throws -> ModelConfiguration {
        guard !path.isEmpty else {
            throw FormatError(file: "\"\"", field: "", reason: "names no directory of a model")
        }
        if holdsAdapter(path), !FileManager.default.fileExists(atPath: path + "/config.json") {
            throw FormatError(
                file: path, field: "",
                reason: "holds adapters without their model: merge them into it, and name the directory of the whole")
        }
        return try ModelConfiguration(contentsOf: URL(fileURLWithPath: path).appending(path: "config.json"))
    }

    /// The weights as they are served, in the formats that take least.
    private static func leastNeed(
        of configuration: ModelConfiguration, precision: Precision, path: String
    ) -> MemoryNeed {
        var configuration = configuration
        configuration.precision = precision
        var need = MemoryNeed()
        need.add(
            ModelMemory(configuration).leastPolicyWeights, weightCause(of: configuration, path: path), name: "weights")
        return need
    }

    /// What a program takes that reads the weights, packs them and runs forward passes over so many positions.
    ///
    /// - Parameters:
    ///   - threads: that read.
    ///   - program: bytes of the program itself.
    public func servingNeed(
        positions: Int, threads: Int, program: Double = MemoryNeed.program
    ) -> MemoryNeed {
        let memory = ModelMemory(configuration)
        var need = MemoryNeed()
        let cause = weightCause
        need.add(program + memory.stacks(threads: threads), cause, name: "the program")
        need.add(Double(weights.policyByteCount) + memory.packing(threads: threads), cause, name: "weights")
        need.add(
            memory.rotaryTable(positions: positions),
            .field("max_position_embeddings", of: path + "/config.json", value: "\(configuration.maxPositions)"),
            name: "rotary table")
        return need
    }

    /// Of weights that are trained, and of one version as it is served.
    public static func trainingNeed(of configuration: ModelConfiguration, path: String) -> MemoryNeed {
        let memory = ModelMemory(configuration)
        var need = MemoryNeed()
        need.add(
            memory.parameters + memory.policyWeights, weightCause(of: configuration, path: path), name: "weights")
        need.add(
            memory.rotaryTable,
            .field("max_position_embeddings", of: path + "/config.json", value: "\(configuration.maxPositions)"),
            name: "rotary table")
        return need
    }

    /// What the weights' size goes by.
    public var weightCause: MemoryCause { Self.weightCause(of: configuration, path: path) }

    /// What the weights' size goes by.
    public static func weightCause(of configuration: ModelConfiguration, path: String) -> MemoryCause {
        let (field, value) = ModelMemory(configuration).largestField
        return .field(field, of: path + "/config.json", value: "\(value)")
    }
}
