import Files

/// What a text goes through before it is split into symbols.
struct Normalizer: Sendable {
    enum Step: Sendable {
        case prepend(String)
        case replace(pattern: String, content: String)
        case composedForm
    }

    /// Steps of a file's pipeline, whichever it is: every text goes through each of them.
    static let mostSteps = 32
    /// How many times as long a text may become: SentencePiece makes a character of three bytes of a space, and puts one first.
    static let largestGrowth = 64.0

    var steps: [Step] = []

    /// How many times as long it may make a text, at most.
    private var growth: Double {
        steps.reduce(1) { growth, step in
            switch step {
            case .prepend(let prefix): growth * Double(1 + prefix.utf8.count)
            case .replace(let pattern, let content):
                growth * max(1, Double(content.utf8.count) / Double(pattern.utf8.count))
            case .composedForm: growth
            }
        }
    }

    func callAsFunction(_ text: String) -> String {
        var text = text
        for step in steps {
            switch step {
            case .prepend(let prefix): if !text.isEmpty { text = prefix + text }
            case .replace(let pattern, let content): text = text.replacingExactly(pattern, with: content)
            case .composedForm: text = ComposedForm.shared(text)
            }
        }
        return text
    }

    init(steps: [Step] = []) {
        self.steps = steps
    }

    /// Reads `normalizer` of tokenizer.json.
    init(_ field: JSONField) throws {
        guard !field.isNull else { return }
        switch try field["type"].string() {
        case "Sequence": steps = try field["normalizers"].elements().flatMap { try Normalizer($0).steps }
        case "Prepend": steps = [.prepend(try field["prepend"].string())]
        case "Replace": steps = [try .replace(pattern: field.replacedPattern(), content: field["content"].string())]
        case "NFC": steps = [.composedForm]
        case let type:
            throw field["type"].failure("the normalizer \(type) is not supported (Sequence, Prepend, Replace, NFC)")
        }
        try check(field)
    }

    /// Throws, naming the field that it is read from, where it could fill the memory.
    func check(_ field: JSONField) throws {
        try field.checkStepCount(steps.count)
        guard growth <= Self.largestGrowth else {
            throw field.failure("makes a text more than \(Int(Self.largestGrowth)) times as long")
        }
    }
}

extension JSONField {
    /// Throws where a pipeline has more steps than any in use.
    func checkStepCount(_ count: Int) throws {
        guard count <= Normalizer.mostSteps else {
            throw failure("has \(count) steps; it may have \(Normalizer.mostSteps)")
        }
    }

    /// The pattern of a `Replace` normalizer or decoder, a literal string.
    func replacedPattern() throws -> String {
        let pattern = self["pattern"]
        guard pattern["Regex"].isNull else {
            throw pattern["Regex"].failure("patterns that are regular expressions are not supported")
        }
        let text = try pattern["String"].string()
        guard !text.isEmpty else { throw pattern["String"].failure("an empty pattern") }
        return text
    }
}

extension String {
    /// Replaces every occurrence of the pattern's UTF-8, from left to right.
    func replacingExactly(_ pattern: String, with content: String) -> String {
        let source = Array(utf8)
        let pattern = Array(pattern.utf8)
        guard let first = pattern.first else { return self }
        var result: [UInt8] = []
        result.reserveCapacity(source.count)
        var index = 0
        while index < source.count {
            if source[index] == first, source[index...].starts(with: pattern) {
                result += content.utf8
                index += pattern.count
            } else {
                result.append(source[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
