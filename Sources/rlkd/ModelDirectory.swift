import Foundation
import Models
import Tokenizers

/// A model directory in memory, with its tokenizer where it has one.
struct ModelDirectory: Sendable {
    let path: String
    let parameters: Parameters
    /// Nil where there is no tokenizer; rows of tokens can be served all the same.
    let tokenizer: Tokenizer?

    var configuration: ModelConfiguration { parameters.configuration }

    /// What ends a completion.
    var endTokens: [Int32] {
        let tokenizerEnd = tokenizer?.end.map { [$0] } ?? []
        return configuration.endTokens + tokenizerEnd.filter { !configuration.endTokens.contains($0) }
    }

    /// What starts a sequence.
    var beginning: Int32? { tokenizer?.beginning ?? configuration.beginningToken }

    /// - Throws: `FormatError` naming the file and the field; a vocabulary larger than the model's is such an error.
    init(_ path: String) throws {
        self.path = path
        let url = URL(fileURLWithPath: path)
        (_, parameters) = try HuggingFaceDirectory.load(url)
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
}
