import Foundation

/// The parsed JSON of a tokenizer's files, and their contents.
struct TokenizerFiles {
    static let tokenizerName = "tokenizer.json"
    static let configurationName = "tokenizer_config.json"
    static let chatTemplateName = "chat_template.jinja"

    let tokenizer: JSONField
    /// Null where the file is absent, like `generation`.
    let configuration: JSONField
    let generation: JSONField
    let contents: [String: Data]

    init(directory: URL) throws {
        var contents: [String: Data] = [:]
        let others = ["special_tokens_map.json", "added_tokens.json", Self.chatTemplateName]
        contents[Self.tokenizerName] = try Self.read(directory.appending(path: Self.tokenizerName))
        for name in [Self.configurationName] + others {
            contents[name] = try Self.readIfPresent(directory.appending(path: name))
        }
        let generation = try Self.readIfPresent(directory.appending(path: "generation_config.json"))
        try self.init(contents: contents, generation: generation, directory: directory.path + "/")
    }

    init(tokenizerFile: URL) throws {
        let folder = tokenizerFile.deletingLastPathComponent().path + "/"
        try self.init(
            contents: [Self.tokenizerName: Self.read(tokenizerFile)], directory: folder,
            tokenizerName: tokenizerFile.lastPathComponent)
    }

    /// `directory` ends in a slash, or is empty; it is for messages.
    init(
        contents: [String: Data], generation: Data? = nil, directory: String, tokenizerName: String = Self.tokenizerName
    ) throws {
        func parse(_ name: String, _ data: Data?) throws -> JSONField {
            let file = directory + name
            guard let data else { return JSONField(file: file, value: .null) }
            return JSONField(file: file, value: try data.withUnsafeBytes { try JSONValue(parsing: $0, file: file) })
        }
        tokenizer = try parse(tokenizerName, contents[Self.tokenizerName])
        configuration = try parse(Self.configurationName, contents[Self.configurationName])
        self.generation = try parse("generation_config.json", generation)
        self.contents = contents
    }

    private static func read(_ url: URL) throws -> Data {
        do {
            return try Data(contentsOf: url)
        } catch {
            throw FormatError(file: url.path, field: "", reason: "cannot be read: \(error.localizedDescription)")
        }
    }

    private static func readIfPresent(_ url: URL) throws -> Data? {
        FileManager.default.fileExists(atPath: url.path) ? try read(url) : nil
    }
}
