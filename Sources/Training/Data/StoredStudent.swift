import Foundation
import Logging
import Models
import Tokenizers

/// A student from a Hugging Face directory: a model that has a tokenizer and a token that ends a text. Its weights are still in
/// their files.
struct StoredStudent {
    var directory: ModelDirectory
    var tokenizer: Tokenizer
    /// Ends a demonstration.
    var end: Int32
    /// Each ends a completion: the tokenizer's and the model's.
    var endTokens: [Int32]

    var weights: StoredWeights { directory.weights }
    var configuration: ModelConfiguration { directory.configuration }

    /// Throws errors that name the directory's file at fault.
    ///
    /// - Parameter logger: told of tensors that the model has no use for.
    init(directory: String, precision: Precision = .float32, logger: Logger) throws {
        let model = try ModelDirectory(directory, precision: precision, logger: logger)
        self.directory = model
        // Without a tokenizer.json this says so.
        tokenizer = try model.tokenizer ?? Tokenizer(directory: URL(filePath: directory))
        endTokens = model.endTokens
        guard let end = endTokens.first else {
            throw ConfigurationError(source: directory, key: "tokenizer_config.json", reason: "names no eos_token")
        }
        self.end = end
    }
}
