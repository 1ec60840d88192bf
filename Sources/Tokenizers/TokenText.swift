import Files

/// What every token contributes to decoded text: the `decoder` of tokenizer.json, applied to each token in advance.
struct TokenText: Sendable {
    /// Text of the tokens, one after another, UTF-8.
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    /// The byte that a token such as `<0x0A>` stands for, else -1.
    private var byteValues: [Int16] = []
    /// Put between tokens: a space where the file has no decoder at all.
    let separator: [UInt8]
    /// Up to this many of `stripped` go from the beginning of the text.
    let stripCount: Int
    let stripped: [UInt8]
    /// Whether a character may be spread over several tokens, as bytes.
    let isByteLevel: Bool

    init(decoder field: JSONField, tokens: [String?]) throws {
        let steps = try Self.steps(field)
        isByteLevel = steps.contains { if case .byteLevel = $0.0 { true } else { false } }
        guard !isByteLevel || steps.count == 1 else { throw field.failure("ByteLevel is supported alone only") }
        try field.checkStepCount(steps.count)
        var replacements = Normalizer()
        var hasByteFallback = false
        var isFused = false
        var strip: (count: Int, content: String) = (0, "")
        for (step, field) in steps {
            switch step {
            case .replace(let pattern, let content):
                guard !hasByteFallback, !isFused else {
                    throw field.failure("Replace is supported before ByteFallback and Fuse only")
                }
                replacements.steps.append(.replace(pattern: pattern, content: content))
            case .byteFallback:
                guard !isFused else { throw field.failure("ByteFallback is supported before Fuse only") }
                hasByteFallback = true
            case .fuse: isFused = true
            case .byteLevel: break
            case .strip(let content, let count):
                guard isFused, strip.count == 0 else { throw field.failure("one Strip is supported, after Fuse") }
                strip = (count, content)
            }
        }
        try replacements.check(field)
        separator = field.isNull ? [0x20] : []
        stripCount = strip.count
        stripped = Array(strip.content.utf8)
        for token in tokens {
            let text = replacements(token ?? "")
            byteValues.append(hasByteFallback ? Self.byteValue(of: text) : -1)
            bytes += isByteLevel ? ByteLevelAlphabet.bytes(of: text) ?? Array(text.utf8) : Array(text.utf8)
            ends.append(bytes.count)
        }
    }

    subscript(id: Int) -> ArraySlice<UInt8> {
        bytes[(id == 0 ? 0 : ends[id - 1])..<ends[id]]
    }

    func byteValue(_ id: Int) -> UInt8? {
        byteValues[id] < 0 ? nil : UInt8(byteValues[id])
    }

    /// `<0xHH>` as a number, else -1.
    private static func byteValue(of token: String) -> Int16 {
        guard token.utf8.count == 6, token.hasPrefix("<0x"), token.hasSuffix(">"),
            let value = UInt8(token.dropFirst(3).dropLast(), radix: 16)
        else { return -1 }
        return Int16(value)
    }

    private enum Step {
        case replace(pattern: String, content: String)
        case byteFallback
        case fuse
        case byteLevel
        case strip(content: String, count: Int)
    }

    private static func steps(_ field: JSONField) throws -> [(Step, JSONField)] {
        guard !field.isNull else { return [] }
        let type = field["type"]
        switch try type.string() {
        case "Sequence": return try field["decoders"].elements().flatMap { try steps($0) }
        case "Replace":
            return [(try .replace(pattern: field.replacedPattern(), content: field["content"].string()), type)]
        case "ByteFallback": return [(.byteFallback, type)]
        case "Fuse": return [(.fuse, type)]
        case "ByteLevel": return [(.byteLevel, type)]
        case "Strip":
            guard try field["stop"].integer() == 0 else { throw field["stop"].failure("only 0 is supported") }
            let content = try field["content"].string()
            guard content.unicodeScalars.count == 1 else { throw field["content"].failure("expected one character") }
            return [(.strip(content: content, count: max(0, try field["start"].integer())), type)]
        case let name:
            throw type.failure(
                "the decoder \(name) is not supported (Sequence, Replace, ByteFallback, Fuse, Strip, ByteLevel)")
        }
    }
}
