import Foundation
import Logging
import Models
import Tokenizers

/// A Hugging Face directory in memory, with its tokenizer where it has one.
public struct ModelDirectory: Sendable {
    public let path: String
    public let parameters: Parameters
    /// Nil where there is no tokenizer; rows of tokens can be served all the same.
    public let tokenizer: Tokenizer?

    public var configuration: ModelConfiguration { parameters.configuration }

    /// What ends a completion: the tokenizer's token, the model's, and those of generation_config.json, which transformers goes by.
    public var endTokens: [Int32] {
        var found = tokenizer?.end.map { [$0] } ?? []
        for token in configuration.endTokens + generationEndTokens where !found.contains(token) { found.append(token) }
        return found
    }

    private let generationEndTokens: [Int32]

    /// What starts a sequence.
    public var beginning: Int32? { tokenizer?.beginning ?? configuration.beginningToken }

    /// - Parameter logger: told of tensors that the model has no use for.
    /// - Throws: `FormatError` naming the file and the field, also for a vocabulary larger than the model's; `InsufficientMemory`
    ///   before any weight is read.
    public init(_ path: String, precision: Precision = .float32, logger: Logger) throws {
        self.path = path
        let url = URL(fileURLWithPath: path)
        try Self.need(of: Self.configuration(path), path: path).check()
        (_, parameters) = try HuggingFaceDirectory.load(url, precision: precision) { text in
            logger.warning("\(text)")
        }
        generationEndTokens = try Self.generationEndTokens(url)
        guard Tokenizer.isPresent(in: url) else {
            tokenizer = nil
            return
        }
        let tokenizer = try Tokenizer(directory: url)
        guard tokenizer.vocabularySize <= parameters.configuration.vocabularySize else {
            throw FormatError(
                file: path, field: "vocabulary of the tokenizer",
                reason: "has \(tokenizer.vocabularySize) tokens, more than config.json's vocab_size of "
                    + "\(parameters.configuration.vocabularySize)")
        }
        self.tokenizer = tokenizer
    }

    /// `eos_token_id` of generation_config.json: one id, or a list of ids.
    private static func generationEndTokens(_ directory: URL) throws -> [Int32] {
        let field = try JSONField(fileIfPresent: directory.appending(path: "generation_config.json"))["eos_token_id"]
        guard !field.isNull else { return [] }
        let fields = if case .array = field.value { try field.elements() } else { [field] }
        return try fields.map { field in
            guard let token = Int32(exactly: try field.integer()), token >= 0 else {
                throw field.failure("is no token id")
            }
            return token
        }
    }

    /// The shape alone.
    ///
    /// - Throws: `FormatError`.
    public static func configuration(_ path: String) throws -> ModelConfiguration {
        try ModelConfiguration(contentsOf: URL(fileURLWithPath: path).appending(path: "config.json"))
    }

    /// Of the weights as they are read, and of one version as it is served.
    public static func need(of configuration: ModelConfiguration, path: String) -> MemoryNeed {
        var need = servingNeed(of: configuration, path: path)
        need.add(ModelMemory(configuration).parameters, weightCause(of: configuration, path: path))
        return need
    }

    /// What is left to take once the weights are read.
    public var servingNeed: MemoryNeed { Self.servingNeed(of: configuration, path: path) }

    private static func servingNeed(of configuration: ModelConfiguration, path: String) -> MemoryNeed {
        let memory = ModelMemory(configuration)
        var need = MemoryNeed()
        need.add(memory.policyWeights, weightCause(of: configuration, path: path))
        need.add(
            memory.rotaryTable,
            .field("max_position_embeddings", of: path + "/config.json", value: "\(configuration.maxPositions)"))
        return need
    }

    /// What the weights' size goes by.
    public static func weightCause(of configuration: ModelConfiguration, path: String) -> MemoryCause {
        let (field, value) = ModelMemory(configuration).largestField
        return .field(field, of: path + "/config.json", value: "\(value)")
    }
}
