import Files

/// How a text is cut into words, across which nothing merges: `pre_tokenizer` of tokenizer.json.
struct PreTokenizer: Sendable {
    enum Step: Sendable {
        case pattern(WordPattern)
        /// Numbers apart from the rest, each by itself or in runs.
        case digits(individual: Bool)
        /// A space before every piece that does not start with one.
        case spacePrefix
        /// Spaces written as another character, one put first, and words cut before it.
        case metaspace(Metaspace)
    }

    struct Metaspace: Sendable {
        enum Prefix: String, Sendable {
            case always, first, never
        }

        let replacement: [UInt8]
        let prefix: Prefix
        let splits: Bool
    }

    private var hasMetaspace: Bool {
        steps.contains { if case .metaspace = $0 { true } else { false } }
    }

    private(set) var steps: [Step] = []
    /// Whether the symbols of words are bytes, rather than characters.
    private(set) var isByteLevel = false

    init(steps: [Step], isByteLevel: Bool) {
        self.steps = steps
        self.isByteLevel = isByteLevel
    }

    /// Reads `pre_tokenizer`.
    init(_ field: JSONField) throws {
        guard !field.isNull else { return }
        let type = field["type"]
        switch try type.string() {
        case "Sequence":
            for element in try field["pretokenizers"].elements() {
                guard !isByteLevel else { throw element["type"].failure("nothing may follow ByteLevel") }
                let part = try PreTokenizer(element)
                // Each may put a character before every piece, which a step between them cuts off: pieces would double.
                guard !hasMetaspace || !part.hasMetaspace else {
                    throw element["type"].failure("a second Metaspace is not supported; keep one of them")
                }
                steps += part.steps
                isByteLevel = part.isByteLevel
            }
        case "Split": steps = [.pattern(try Self.pattern(field))]
        case "Digits": steps = [.digits(individual: try field["individual_digits"].boolean(or: false))]
        case "ByteLevel":
            isByteLevel = true
            if try field["add_prefix_space"].boolean(or: true) { steps.append(.spacePrefix) }
            if try field["use_regex"].boolean(or: true) { steps.append(.pattern(.gpt2)) }
        case "Metaspace": steps = [.metaspace(try Metaspace(field))]
        case let name:
            throw type.failure(
                "the pre-tokenizer \(name) is not supported (Sequence, Split, Digits, ByteLevel, Metaspace)")
        }
        try field.checkStepCount(steps.count)
    }

    private static func pattern(_ field: JSONField) throws -> WordPattern {
        let behavior = try field["behavior"].string()
        guard behavior == "Isolated" else {
            throw field["behavior"].failure("\(behavior) is not supported (Isolated)")
        }
        guard try !field["invert"].boolean(or: false) else { throw field["invert"].failure("true is not supported") }
        let regex = field["pattern"]["Regex"]
        guard !regex.isNull else { throw field["pattern"].failure("only a Regex is supported") }
        let text = try regex.string()
        guard let pattern = WordPattern(text) else {
            throw regex.failure("the pattern \(text) is not supported (those of GPT-2, Llama 3 and Qwen2)")
        }
        return pattern
    }
}

extension PreTokenizer.Metaspace {
    init(_ field: JSONField) throws {
        let text = try field["replacement"].string()
        guard text.unicodeScalars.count == 1 else { throw field["replacement"].failure("expected one character") }
        replacement = Array(text.utf8)
        let scheme = field["prepend_scheme"]
        if scheme.isNull {
            prefix = try field["add_prefix_space"].boolean(or: true) ? .always : .never
        } else {
            guard let prefix = Prefix(rawValue: try scheme.string()) else {
                throw scheme.failure("expected always, first or never")
            }
            self.prefix = prefix
        }
        splits = try field["split"].boolean(or: true)
    }
}
