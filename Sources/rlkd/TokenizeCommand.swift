import ArgumentParser
import Files
import Foundation
import Tokenizers

struct TokenizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Text to token ids, or back.",
        discussion: """
            All of standard input is one text; one JSON array of ids comes out. With --decode a JSON array of ids comes in, and \
            its text goes out as it is, without a line's end of its own.
            """)

    @Option(help: "A directory with tokenizer.json, or vocab.json and merges.txt.")
    var tokenizer: String

    @Flag(help: "From ids to text.")
    var decode = false

    @Flag(
        help: """
            Adds the special tokens that the tokenizer puts around a text, and finds those that are written out in it; with \
            --decode, keeps their text.
            """)
    var special = false

    @OptionGroup var compute: ComputeOptions

    func run() async throws {
        try await Failure.reporting {
            let tokenizer = try Tokenizer(directory: URL(fileURLWithPath: tokenizer))
            let name = "standard input"
            let input = try FormatError.naming { () throws(FileError) in
                try InputBytes.read(.standardInput, name: name)
            }
            if decode {
                let ids = try TokenList.parse(input, file: name)
                if let index = ids.firstIndex(where: { tokenizer.token(for: $0) == nil }) {
                    let error = TokenizerError.unknownToken(ids[index], vocabularySize: tokenizer.vocabularySize)
                    throw FormatError(file: name, field: "ids[\(index)]", reason: error.description)
                }
                try StandardOutput.write(Data(tokenizer.decode(ids, skipSpecialTokens: !special).utf8))
            } else {
                guard let text = String(validating: input, as: UTF8.self) else {
                    throw FormatError(file: name, field: "", reason: "is not UTF-8 text")
                }
                do {
                    try StandardOutput.write(
                        row: tokenizer.encode(text, addSpecialTokens: special, matchesAddedTokens: special))
                } catch let error as TokenizerError {
                    throw FormatError(file: name, field: "", reason: error.description)
                }
            }
        }
    }
}

/// A JSON array of token ids.
enum TokenList {
    /// - Throws: `FormatError` naming the element.
    static func parse(_ data: Data, file: String) throws -> [Int32] {
        let value = try data.withUnsafeBytes { try JSONValue(parsing: $0, file: file) }
        return try JSONField(file: file, path: "ids", value: value).elements().map { element in
            guard let token = Int32(exactly: try element.integer()) else { throw element.failure("is no token id") }
            return token
        }
    }
}
