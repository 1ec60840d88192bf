import Files

/// What a tokenizer's files say, checked and ready for use.
struct TokenizerDefinition {
    var vocabulary: Vocabulary
    let normalizer: Normalizer
    let preTokenizer: PreTokenizer
    let model: BytePairModel
    let addedTokens: AddedTokens
    let text: TokenText
    let isSpecial: [Bool]
    /// Ids that the post-processor's template for a single text puts before and after it.
    let template: Template

    struct Template {
        var prefix: [Int32] = []
        var suffix: [Int32] = []
    }

    /// Reads tokenizer.json.
    init(_ file: JSONField) throws {
        let modelField = file["model"]
        let type = modelField["type"]
        if !type.isNull {
            let name = try type.string()
            guard name == "BPE" else { throw type.failure("the model \(name) is not supported (BPE)") }
        }
        try self.init(
            vocabulary: Vocabulary(modelField["vocab"]), merges: MergeList(modelField["merges"]), model: modelField,
            normalizer: Normalizer(file["normalizer"]), preTokenizer: PreTokenizer(file["pre_tokenizer"]),
            decoder: file["decoder"]
        ) { vocabulary in
            let field = file["added_tokens"]
            guard !field.isNull else { return [] }
            return try field.elements().map { try AddedTokens.Token($0, id: $0["id"], in: &vocabulary) }
        } template: { vocabulary in
            try Template(file["post_processor"], vocabulary)
        }
    }

    /// - Parameters:
    ///   - model: The model's further fields.
    ///   - added: Puts the added tokens into the vocabulary.
    ///   - template: Reads the post-processor.
    init(
        vocabulary: Vocabulary, merges: MergeList, model modelField: JSONField, normalizer: Normalizer,
        preTokenizer: PreTokenizer, decoder: JSONField, added: (inout Vocabulary) throws -> [AddedTokens.Token],
        template: (Vocabulary) throws -> Template
    ) throws {
        var vocabulary = vocabulary
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        model = try BytePairModel(
            BytePairModel.Options(field: modelField, isByteLevel: preTokenizer.isByteLevel), merges: merges,
            vocabulary: vocabulary.ids)
        let added = try added(&vocabulary)
        addedTokens = AddedTokens(added, normalizer: normalizer)
        guard !vocabulary.tokens.isEmpty else { throw modelField["vocab"].failure("there is no token") }
        var isSpecial = Array(repeating: false, count: vocabulary.tokens.count)
        for token in added where token.isSpecial { isSpecial[Int(token.id)] = true }
        self.isSpecial = isSpecial
        // As in the `tokenizers` library, an added token that is found in normalized text is decoded from its
        // normalized content.
        var decodedTokens = vocabulary.tokens
        for token in added where token.isNormalized { decodedTokens[Int(token.id)] = normalizer(token.content) }
        text = try TokenText(decoder: decoder, tokens: decodedTokens)
        self.template = try template(vocabulary)
        self.vocabulary = vocabulary
    }
}

extension AddedTokens.Token {
    /// Reads an element of `added_tokens`, and puts it into the vocabulary.
    init(_ field: JSONField, id: JSONField, in vocabulary: inout Vocabulary) throws {
        let number = try id.integer()
        content = try field["content"].string()
        guard content.utf8.count <= AddedTokens.longestContent else {
            throw field["content"].failure(
                "has \(content.utf8.count) bytes; an added token may have \(AddedTokens.longestContent)")
        }
        try vocabulary.add(content, id: number, id)
        self.id = Int32(number)
        isSpecial = try field["special"].boolean(or: false)
        isNormalized = try field["normalized"].boolean(or: !isSpecial)
        isWord = try field["single_word"].boolean(or: false)
        stripsLeft = try field["lstrip"].boolean(or: false)
        stripsRight = try field["rstrip"].boolean(or: false)
    }
}

extension TokenizerDefinition.Template {
    /// Reads `post_processor`: ByteLevel changes no ids; of several templates there may be one.
    init(_ field: JSONField, _ vocabulary: Vocabulary) throws {
        guard !field.isNull else { return }
        let type = field["type"]
        switch try type.string() {
        case "ByteLevel": return
        case "Sequence":
            for element in try field["processors"].elements() {
                let part = try Self(element, vocabulary)
                let isEmpty = prefix.isEmpty && suffix.isEmpty
                guard isEmpty || (part.prefix.isEmpty && part.suffix.isEmpty) else {
                    throw element.failure("a second template is not supported")
                }
                if isEmpty { self = part }
            }
        case "TemplateProcessing": try readTemplate(field, vocabulary)
        case let name:
            throw type.failure(
                "the post-processor \(name) is not supported (TemplateProcessing, ByteLevel, Sequence)")
        }
    }

    private mutating func readTemplate(_ field: JSONField, _ vocabulary: Vocabulary) throws {
        var seesText = false
        for part in try field["single"].elements() {
            if part["Sequence"].isNull {
                let ids = try Self.ids(of: part["SpecialToken"]["id"], in: field["special_tokens"], vocabulary)
                if seesText { suffix += ids } else { prefix += ids }
            } else {
                guard !seesText else { throw part.failure("the text occurs twice") }
                seesText = true
            }
        }
        guard seesText else { throw field["single"].failure("the text does not occur") }
    }

    /// What a name in a template stands for: the ids that are listed for it, whatever token has that name.
    private static func ids(
        of name: JSONField, in listed: JSONField, _ vocabulary: Vocabulary
    ) throws -> [Int32] {
        let own = listed[try name.string()]
        guard !own.isNull else { throw name.failure("\"\(try name.string())\" is none of \(listed.path)") }
        return try own["ids"].elements().map { field in
            let id = try field.integer()
            guard vocabulary.tokens.indices ~= id, vocabulary.tokens[id] != nil else {
                throw field.failure("the id \(id) is no token's")
            }
            return Int32(id)
        }
    }
}
