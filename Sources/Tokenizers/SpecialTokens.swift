import Files
import Foundation

/// What tokenizer_config.json and generation_config.json say about the tokens around a text.
struct SpecialTokens {
    let beginning: Int32?
    let end: Int32?
    let padding: Int32?
    let addsBeginning: Bool
    let prefix: [Int32]
    let suffix: [Int32]
    let chatTemplate: String?
    let toolTemplate: String?
    /// The texts of the named special tokens, such as `bos_token`, which chat templates see.
    let texts: [String: String]

    init(files: TokenizerFiles, definition: TokenizerDefinition) throws {
        let configuration = files.configuration
        let vocabulary = definition.vocabulary
        func id(_ name: String, generation: String) throws -> Int32? {
            let field = configuration[name]
            if let token = try Self.token(field) ?? files.vocabularyFiles?.special(name) {
                guard let id = vocabulary.ids[ExactString(token)] else {
                    throw field.failure("\"\(token)\" is not in the vocabulary")
                }
                return id
            }
            return try Self.identifier(files.generation[generation], tokens: vocabulary.tokens)
        }
        beginning = try id("bos_token", generation: "bos_token_id")
        end = try id("eos_token", generation: "eos_token_id")
        padding = try id("pad_token", generation: "pad_token_id")

        var prefix = definition.template.prefix
        var suffix = definition.template.suffix
        try Self.apply(configuration["add_bos_token"], token: beginning, name: "bos_token", to: &prefix) {
            $0.insert($1, at: 0)
        }
        try Self.apply(configuration["add_eos_token"], token: end, name: "eos_token", to: &suffix) { $0.append($1) }
        self.prefix = prefix
        self.suffix = suffix
        addsBeginning = beginning.map(prefix.contains) ?? false
        (chatTemplate, toolTemplate) = try Self.chatTemplates(files)
        var texts: [String: String] = [:]
        for name in VocabularyFiles.specialNames {
            texts[name] = try Self.token(configuration[name]) ?? files.vocabularyFiles?.special(name)
        }
        self.texts = texts
    }

    /// Either the token, or an object that describes it.
    private static func token(_ field: JSONField) throws -> String? {
        guard !field.isNull else { return nil }
        return try field["content"].isNull ? field.string() : field["content"].string()
    }

    /// An id, or the first of a list of ids.
    private static func identifier(_ field: JSONField, tokens: [String?]) throws -> Int32? {
        guard !field.isNull else { return nil }
        var field = field
        if case .array = field.value {
            guard let first = try field.elements().first else { return nil }
            field = first
        }
        let id = try field.integer()
        guard tokens.indices.contains(id), tokens[id] != nil else { throw field.failure("no token has the id \(id)") }
        return Int32(id)
    }

    /// `add_bos_token` and `add_eos_token` overrule the template.
    private static func apply(
        _ field: JSONField, token: Int32?, name: String, to ids: inout [Int32], insert: (inout [Int32], Int32) -> Void
    ) throws {
        guard !field.isNull else { return }
        let isAdded = try field.boolean(or: false)
        guard let token else {
            guard !isAdded else { throw field.failure("true, but there is no \(name)") }
            return
        }
        if !isAdded {
            ids.removeAll { $0 == token }
        } else if !ids.contains(token) {
            insert(&ids, token)
        }
    }

    /// The template for conversations, and one for those with tools where the directory has a list of named ones.
    private static func chatTemplates(_ files: TokenizerFiles) throws -> (plain: String?, withTools: String?) {
        if let text = try files.text(TokenizerFiles.chatTemplateName) { return (text, nil) }
        let field = files.configuration["chat_template"]
        switch field.value {
        case .null: return (nil, nil)
        case .array:
            let templates = try field.elements().map {
                (name: try $0["name"].string(), text: try $0["template"].string())
            }
            func named(_ name: String) -> String? { templates.first { $0.name == name }?.text }
            return (named("default") ?? templates.first?.text, named("tool_use"))
        default: return (try field.string(), nil)
        }
    }
}
