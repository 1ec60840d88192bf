/// What tokenizer.json says, checked and ready for use.
struct TokenizerDefinition {
    /// Ids above this are taken for a mistake: every id up to the largest costs memory.
    static let largestID = 1 << 24

    var tokens: [String?] = []
    var ids: [ExactString: Int32] = [:]
    let normalizer: Normalizer
    let model: BytePairModel
    let addedTokens: AddedTokens
    let text: TokenText
    let isSpecial: [Bool]
    /// Ids that the post-processor's template for a single text puts before and after it.
    let templatePrefix: [Int32]
    let templateSuffix: [Int32]

    init(_ file: JSONField) throws {
        guard file["pre_tokenizer"].isNull else {
            throw file["pre_tokenizer"].failure("pre-tokenizers are not supported yet")
        }
        normalizer = try Normalizer(file["normalizer"])
        var tokens: [String?] = []
        var ids: [ExactString: Int32] = [:]
        let modelField = file["model"]
        try Self.checkModel(modelField)
        for (token, field) in try modelField["vocab"].members() {
            try Self.add(token, id: field.integer(), field: field, tokens: &tokens, ids: &ids)
        }
        model = try BytePairModel(modelField, ids: ids)
        let added = try Self.addedTokens(file["added_tokens"], tokens: &tokens, ids: &ids)
        addedTokens = AddedTokens(added, normalizer: normalizer)
        guard !tokens.isEmpty else { throw modelField["vocab"].failure("there is no token") }
        var isSpecial = Array(repeating: false, count: tokens.count)
        for token in added where token.isSpecial { isSpecial[Int(token.id)] = true }
        self.isSpecial = isSpecial
        // As in the `tokenizers` library, an added token that is found in normalized text is decoded from its
        // normalized content.
        var decodedTokens = tokens
        for token in added where token.isNormalized { decodedTokens[Int(token.id)] = normalizer(token.content) }
        text = try TokenText(decoder: file["decoder"], tokens: decodedTokens)
        (templatePrefix, templateSuffix) = try Self.template(file["post_processor"], ids: ids)
        self.tokens = tokens
        self.ids = ids
    }

    private static func checkModel(_ field: JSONField) throws {
        let type = try field["type"].string()
        guard type == "BPE" else { throw field["type"].failure("the model \(type) is not supported (BPE)") }
        guard field["dropout"].isNull else { throw field["dropout"].failure("dropout is not supported") }
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if case .string("") = field[name].value { continue }
            guard field[name].isNull else { throw field[name].failure("not supported") }
        }
        guard try !field["ignore_merges"].boolean(or: false) else {
            throw field["ignore_merges"].failure("true is not supported")
        }
    }

    private static func add(
        _ token: String, id: Int, field: JSONField, tokens: inout [String?], ids: inout [ExactString: Int32]
    ) throws {
        guard 0...largestID ~= id else { throw field.failure("the id \(id) is not between 0 and \(largestID)") }
        if id >= tokens.count { tokens += repeatElement(nil, count: id + 1 - tokens.count) }
        if let other = tokens[id], ExactString(other) != ExactString(token) {
            throw field.failure("the id \(id) is that of \"\(other)\" already")
        }
        if let other = ids[ExactString(token)], other != Int32(id) {
            throw field.failure("\"\(token)\" has the id \(other) already")
        }
        tokens[id] = token
        ids[ExactString(token)] = Int32(id)
    }

    private static func addedTokens(
        _ field: JSONField, tokens: inout [String?], ids: inout [ExactString: Int32]
    ) throws -> [AddedTokens.Token] {
        guard !field.isNull else { return [] }
        return try field.elements().map { field in
            for flag in ["single_word", "lstrip", "rstrip"] where try field[flag].boolean(or: false) {
                throw field[flag].failure("true is not supported")
            }
            let content = try field["content"].string()
            let id = try field["id"].integer()
            try add(content, id: id, field: field["id"], tokens: &tokens, ids: &ids)
            return try AddedTokens.Token(
                id: Int32(id), content: content, isSpecial: field["special"].boolean(or: false),
                isNormalized: field["normalized"].boolean(or: false))
        }
    }

    private static func template(_ field: JSONField, ids: [ExactString: Int32]) throws -> ([Int32], [Int32]) {
        guard !field.isNull else { return ([], []) }
        let type = try field["type"].string()
        guard type == "TemplateProcessing" else {
            throw field["type"].failure("the post-processor \(type) is not supported (TemplateProcessing)")
        }
        var around: (prefix: [Int32], suffix: [Int32]) = ([], [])
        var seesText = false
        for part in try field["single"].elements() {
            if part["Sequence"].isNull {
                let name = try part["SpecialToken"]["id"].string()
                guard let id = ids[ExactString(name)] else {
                    throw part["SpecialToken"]["id"].failure("\"\(name)\" is no token")
                }
                if seesText { around.suffix.append(id) } else { around.prefix.append(id) }
            } else {
                guard !seesText else { throw part.failure("the text occurs twice") }
                seesText = true
            }
        }
        guard seesText else { throw field["single"].failure("the text does not occur") }
        return around
    }
}
