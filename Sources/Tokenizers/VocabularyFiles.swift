import Files

/// A tokenizer of vocab.json and merges.txt, whose pipeline the class that tokenizer_config.json names decides.
struct VocabularyFiles {
    /// The classes of transformers, with or without `Fast`.
    private enum Pipeline: String {
        case qwen2 = "Qwen2Tokenizer"
        case gpt2 = "GPT2Tokenizer"

        /// What stands for the special tokens that the configuration does not name.
        var defaults: [String: String] {
            let end = "<|endoftext|>"
            return switch self {
            case .qwen2: ["eos_token": end, "pad_token": end, "unk_token": end]
            case .gpt2: ["bos_token": end, "eos_token": end, "unk_token": end]
            }
        }
    }

    static let specialNames = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]
    private let pipeline: Pipeline
    private let configuration: JSONField

    /// Throws `FormatError` where the configuration names no class that is known.
    init(configuration: JSONField) throws {
        let field = configuration["tokenizer_class"]
        let name = try field.string()
        let known = name.hasSuffix("Fast") ? String(name.dropLast(4)) : name
        guard let pipeline = Pipeline(rawValue: known) else {
            throw field.failure(
                "vocab.json and merges.txt of a \(name) are not supported (Qwen2Tokenizer, GPT2Tokenizer); "
                    + "a tokenizer.json may be")
        }
        self.pipeline = pipeline
        self.configuration = configuration
    }

    /// A named special token, as the configuration or the class has it; nil for none.
    func special(_ name: String) throws -> String? {
        let field = configuration[name]
        if field.isNull { return configuration.value[name] == nil ? pipeline.defaults[name] : nil }
        return try field["content"].isNull ? field.string() : field["content"].string()
    }

    func definition(vocabulary: JSONField, merges: MergeList) throws -> TokenizerDefinition {
        let prefix: [PreTokenizer.Step] =
            try configuration["add_prefix_space"].boolean(or: false) ? [.spacePrefix] : []
        let (normalizer, steps): (Normalizer, [PreTokenizer.Step]) =
            switch pipeline {
            case .qwen2: (Normalizer(steps: [.composedForm]), [.pattern(.qwen2)] + prefix)
            case .gpt2: (Normalizer(), prefix + [.pattern(.gpt2)])
            }
        let decoder = JSONField(
            file: configuration.file,
            value: .object([JSONValue.Member(name: "type", value: .string("ByteLevel"))]))
        return try TokenizerDefinition(
            vocabulary: Vocabulary(vocabulary), merges: merges, model: JSONField(file: vocabulary.file, value: .null),
            normalizer: normalizer, preTokenizer: PreTokenizer(steps: steps, isByteLevel: true), decoder: decoder,
            added: addedTokens
        ) { _ in TokenizerDefinition.Template() }
    }

    /// Those of `added_tokens_decoder` in the order of their ids, then special tokens that are named elsewhere.
    private func addedTokens(_ vocabulary: inout Vocabulary) throws -> [AddedTokens.Token] {
        var tokens: [AddedTokens.Token] = []
        let field = configuration["added_tokens_decoder"]
        let listed = field.isNull ? [] : try field.members()
        let numbered = try listed.map { name, field in
            guard let id = Int(name) else { throw field.failure("expected an id, found \"\(name)\"") }
            return (id: id, field: field)
        }
        for (id, field) in numbered.sorted(by: { $0.id < $1.id }) {
            // transformers gives a token that the vocabulary lacks the next free id, whatever is written here.
            let content = ExactString(try field["content"].string())
            guard vocabulary.ids[content] != nil || id == vocabulary.tokens.count else {
                throw field.failure("the id of a new token must be the next one, \(vocabulary.tokens.count)")
            }
            let number = JSONField(file: field.file, path: field.path, value: .integer(id))
            tokens.append(try AddedTokens.Token(field, id: number, in: &vocabulary))
        }
        var known = Set(tokens.map { ExactString($0.content) })
        for (content, field) in try namedTokens() where known.insert(ExactString(content)).inserted {
            let id = vocabulary.ids[ExactString(content)].map(Int.init) ?? vocabulary.tokens.count
            try vocabulary.add(content, id: id, field)
            tokens.append(
                AddedTokens.Token(id: Int32(id), content: content, isSpecial: true, isNormalized: false))
        }
        return tokens
    }

    private func namedTokens() throws -> [(String, JSONField)] {
        var named = try Self.specialNames.compactMap { name in
            try special(name).map { ($0, configuration[name]) }
        }
        for name in ["additional_special_tokens", "extra_special_tokens"] {
            guard case .array = configuration[name].value else { continue }
            named += try configuration[name].elements().map { field in
                (try field["content"].isNull ? field.string() : field["content"].string(), field)
            }
        }
        return named
    }
}
