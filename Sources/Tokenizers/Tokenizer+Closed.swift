import Files
import Foundation

extension Tokenizer {
    /// A tokenizer for texts made of known symbols, each of which becomes one token when it stands alone.
    ///
    /// The ids are, in this order: `beginning`, `end`, `padding` if any, every character of the symbols as it first
    /// occurs, then the prefixes of two and more characters that lead to each symbol. Merges build a symbol prefix by
    /// prefix. Encoding a text with any other character throws `TokenizerError.unknownCharacter`; decoding is the exact
    /// concatenation. `encode` with special tokens puts `beginning` first.
    ///
    /// Throws `TokenizerError.impossibleSymbol` for an empty symbol, one that is a special token, or one that merges of
    /// other symbols keep from becoming one token, whatever their order (as with `test` beside `step`; a leading space
    /// in both avoids it).
    public static func closed(
        symbols: [String], beginning: String, end: String, padding: String? = nil
    ) throws -> Tokenizer {
        let special = [beginning, end] + (padding.map { [$0] } ?? [])
        let vocabulary = try ClosedVocabulary(symbols: symbols, special: special)
        let contents = [
            TokenizerFiles.tokenizerName: Data(vocabulary.tokenizerFile.utf8),
            TokenizerFiles.configurationName: Data(
                configurationFile(beginning: beginning, end: end, padding: padding).utf8),
        ]
        let tokenizer = try Tokenizer(files: TokenizerFiles(contents: contents, directory: ""))
        for symbol in symbols {
            let ids = try tokenizer.encode(symbol, addSpecialTokens: false)
            guard ids.count == 1 else {
                let parts = ids.map { "\"\(tokenizer.token(for: $0) ?? "")\"" }.joined(separator: ", ")
                throw TokenizerError.impossibleSymbol(
                    symbol, reason: "cannot be one token beside the others: it becomes \(parts)")
            }
        }
        return tokenizer
    }

    private static func configurationFile(beginning: String, end: String, padding: String?) -> String {
        let names: [(String, String?)] = [("bos_token", beginning), ("eos_token", end), ("pad_token", padding)]
        let tokens = names.compactMap { name, token in token.map { "  \"\(name)\": \(JSONValue.literal($0)),\n" } }
        return """
            {
              "add_bos_token": true,
            \(tokens.joined())  "clean_up_tokenization_spaces": false,
              "model_input_names": ["input_ids", "attention_mask"],
              "tokenizer_class": "PreTrainedTokenizerFast"
            }

            """
    }
}
