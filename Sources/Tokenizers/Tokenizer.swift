import Files
import Foundation
import Synchronization

/// Text to token ids and back, as the files of a Hugging Face model directory say.
///
///     let tokenizer = try Tokenizer(directory: modelDirectory)
///     let ids = try tokenizer.encode("Once upon a time", addSpecialTokens: true)
///     let text = try tokenizer.decode(ids, skipSpecialTokens: true)
///
/// Ids and texts are those of transformers, which calls the `tokenizers` library. What a file asks for and this type does not
/// do is refused on reading, so that a tokenizer in hand never gives other ids. `truncation` and `padding` of tokenizer.json
/// are not applied: transformers turns both off unless a call asks for them.
public final class Tokenizer: Sendable {
    /// The token that starts a sequence (`bos_token`).
    public let beginning: Int32?
    /// The token that ends a sequence (`eos_token`).
    public let end: Int32?
    /// The token that fills a batch (`pad_token`).
    public let padding: Int32?
    /// Whether `encode` with special tokens starts with `beginning` (`add_bos_token`, or the file's template).
    public let addsBeginning: Bool
    /// The Jinja template for conversations, as it stands.
    public let chatTemplate: String?
    /// The template of conversations with tools, where there is one of its own (`tool_use`).
    public let toolTemplate: String?
    /// The texts of the named special tokens, such as `bos_token`, which the template sees.
    let specialTexts: [String: String]

    /// The token of every id, nil where an id is free.
    let tokens: [String?]
    let ids: [ExactString: Int32]
    let model: BytePairModel
    let normalizer: Normalizer
    let preTokenizer: PreTokenizer
    let addedTokens: AddedTokens
    let text: TokenText
    let isSpecial: [Bool]
    /// Special tokens before and after an encoded text.
    let prefix: [Int32]
    let suffix: [Int32]
    /// Contents of the files that it came from, by name; `save` writes them back.
    let files: [String: Data]

    /// Room to work in, one for each encoding that has been under way at once, up to a bound.
    let scratches = Mutex<[EncodingScratch]>([])

    /// Reads `tokenizer.json`, or `vocab.json` and `merges.txt` where there is none, and where present
    /// `tokenizer_config.json`, `chat_template.jinja` and `generation_config.json`.
    ///
    /// Throws `FormatError` naming the file and the field.
    public convenience init(directory: URL) throws {
        try self.init(files: TokenizerFiles(directory: directory))
    }

    /// Whether a directory holds a tokenizer: `tokenizer.json`, or `vocab.json` and `merges.txt`.
    public static func isPresent(in directory: URL) -> Bool {
        TokenizerFiles.arePresent(in: directory)
    }

    init(files: TokenizerFiles) throws {
        let definition = try files.definition()
        let special = try SpecialTokens(files: files, definition: definition)
        beginning = special.beginning
        end = special.end
        padding = special.padding
        addsBeginning = special.addsBeginning
        prefix = special.prefix
        suffix = special.suffix
        chatTemplate = special.chatTemplate
        toolTemplate = special.toolTemplate
        specialTexts = special.texts
        tokens = definition.vocabulary.tokens
        ids = definition.vocabulary.ids
        model = definition.model
        normalizer = definition.normalizer
        preTokenizer = definition.preTokenizer
        addedTokens = definition.addedTokens
        text = definition.text
        isSpecial = definition.isSpecial
        self.files = files.contents
    }

    /// One more than the largest id; a model's embedding may have further rows.
    public var vocabularySize: Int { tokens.count }

    /// The token as it stands in the vocabulary, for example `▁the`; nil where no token has this id.
    public func token(for id: Int32) -> String? {
        tokens.indices.contains(Int(id)) ? tokens[Int(id)] : nil
    }

    /// The id of a token as it stands in the vocabulary, added tokens included.
    public func id(of token: String) -> Int32? {
        ids[ExactString(token)]
    }

    /// The text of ids; special tokens contribute theirs unless they are skipped.
    ///
    /// Throws `TokenizerError.unknownToken` for an id that no token has.
    public func decode(_ ids: some Sequence<Int32>, skipSpecialTokens: Bool) throws -> String {
        var decoder = IncrementalDecoder(self, skipSpecialTokens: skipSpecialTokens)
        var bytes: [UInt8] = []
        for id in ids {
            try decoder.append(id, to: &bytes)
        }
        decoder.finish(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text of a model's completion, without special tokens. Ids beyond the vocabulary, rows with which a model's embedding
    /// was padded, have no text.
    public func text(ofCompletion ids: [Int32]) throws -> String {
        try decode(ids.lazy.filter { self.token(for: $0) != nil }, skipSpecialTokens: true)
    }
}
