import Foundation
import Models
import Tokenizers

/// A student from a Hugging Face directory.
struct LoadedStudent {
    var parameters: Parameters
    var tokenizer: Tokenizer
    /// Ends a demonstration.
    var end: Int32
    /// Each ends a completion: the tokenizer's and the model's.
    var endTokens: [Int32] {
        [end] + parameters.configuration.endTokens.filter { $0 != end }
    }

    /// Throws errors that name the directory's file at fault; a vocabulary that does not match is one of them.
    init(directory: String) throws {
        let url = URL(filePath: directory)
        (_, parameters) = try HuggingFaceDirectory.load(url)
        tokenizer = try Tokenizer(directory: url)
        guard tokenizer.vocabularySize <= parameters.configuration.vocabularySize else {
            throw ConfigurationError(
                source: directory, key: "tokenizer.json",
                reason: "has \(tokenizer.vocabularySize) tokens, the model's vocabulary_size is "
                    + "\(parameters.configuration.vocabularySize)")
        }
        guard let end = tokenizer.end ?? parameters.configuration.endTokens.first else {
            throw ConfigurationError(source: directory, key: "tokenizer_config.json", reason: "names no eos_token")
        }
        self.end = end
    }
}
