import Files
import Foundation

/// The parsed JSON of a tokenizer's files, and their contents.
struct TokenizerFiles {
    static let tokenizerName = "tokenizer.json"
    static let vocabularyName = "vocab.json"
    static let mergesName = "merges.txt"
    static let configurationName = "tokenizer_config.json"
    static let chatTemplateName = "chat_template.jinja"
    private static let generationName = "generation_config.json"

    /// Null where the file is absent, like `generation`.
    let configuration: JSONField
    let generation: JSONField
    /// Where there is no tokenizer.json.
    let vocabularyFiles: VocabularyFiles?
    let contents: [String: Data]
    private let directory: String

    /// Whether a directory holds a tokenizer: tokenizer.json, or vocab.json and merges.txt.
    static func arePresent(in directory: URL) -> Bool {
        func isPresent(_ name: String) -> Bool {
            InputFile.isPresent(directory.appending(path: name))
        }
        return isPresent(tokenizerName) || (isPresent(vocabularyName) && isPresent(mergesName))
    }

    init(directory: URL) throws {
        var contents: [String: Data] = [:]
        if InputFile.isPresent(directory.appending(path: Self.tokenizerName))
            || !Self.arePresent(in: directory)
        {
            contents[Self.tokenizerName] = try Self.read(directory.appending(path: Self.tokenizerName))
        }
        let others = [
            Self.vocabularyName, Self.mergesName, Self.configurationName, "special_tokens_map.json",
            "added_tokens.json", Self.chatTemplateName,
        ]
        for name in others {
            contents[name] = try Self.readIfPresent(directory.appending(path: name))
        }
        let generation = try Self.readIfPresent(
            directory.appending(path: Self.generationName), limit: InputFile.largestSettings)
        try self.init(contents: contents, generation: generation, directory: directory.path + "/")
    }

    /// `directory` ends in a slash, or is empty; it is for messages.
    init(contents: [String: Data], generation: Data? = nil, directory: String) throws {
        self.contents = contents
        self.directory = directory
        configuration = try Self.parse(directory + Self.configurationName, contents[Self.configurationName])
        self.generation = try Self.parse(directory + Self.generationName, generation)
        vocabularyFiles =
            contents[Self.tokenizerName] == nil ? try VocabularyFiles(configuration: configuration) : nil
    }

    func definition() throws -> TokenizerDefinition {
        guard let vocabularyFiles else {
            return try TokenizerDefinition(
                Self.parse(directory + Self.tokenizerName, contents[Self.tokenizerName]))
        }
        return try vocabularyFiles.definition(
            vocabulary: Self.parse(directory + Self.vocabularyName, contents[Self.vocabularyName]),
            merges: MergeList(text: try text(Self.mergesName) ?? "", file: directory + Self.mergesName))
    }

    /// Nil where there is no such file. Throws `FormatError` where it is not UTF-8.
    func text(_ name: String) throws -> String? {
        guard let data = contents[name] else { return nil }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw FormatError(file: directory + name, field: "", reason: "is not UTF-8 text")
        }
        return text
    }

    private static func parse(_ file: String, _ data: Data?) throws -> JSONField {
        guard let data else { return JSONField(file: file, value: .null) }
        return try JSONField(data, file: file)
    }

    private static func read(_ url: URL, limit: Int = InputFile.largestText) throws -> Data {
        try FormatError.naming { () throws(FileError) in try InputFile.data(url, limit: limit) }
    }

    private static func readIfPresent(_ url: URL, limit: Int = InputFile.largestText) throws -> Data? {
        InputFile.isPresent(url) ? try read(url, limit: limit) : nil
    }
}
