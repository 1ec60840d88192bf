extension TaggedDecomposer {
    public func looseStructure(of text: String, question: String?) async throws -> LooseStructure {
        try looseStructure(of: text)
    }

    /// The three lists as the paper's released code extracts them: each tag's text up to the next tag, in order of
    /// appearance, whatever its number; text before the first tag is ignored.
    ///
    /// If a `[sub-think i]` occurs in any spelling, only that code's own names count (`sub-think`, `Query`, `Answer`, in exactly
    /// this case), and a tag with anything but one space before its number ends the part before it and is then dropped, as
    /// there. Otherwise the names of the paper's prompts (`Meta-reasoning`, `Meat-reasoning`, `Sub-problem`) are read with this
    /// decomposer's usual tolerance. A text without any meta-reasoning is a failure, which that code scores 0.
    func looseStructure(of text: String) throws(DecompositionFailure) -> LooseStructure {
        let bytes = Array(text.utf8)
        var tags = ReferenceTag.all(in: bytes)
        let tolerant = StepTag.all(in: bytes)
        if !tolerant.contains(where: { $0.role == .metaReasoning && $0.hasReferenceName }) {
            tags = tolerant.map { ReferenceTag(role: $0.role, isListed: true, range: $0.range) }
        }
        var parts: [StepRole: [String]] = [:]
        for (index, tag) in tags.enumerated() {
            guard tag.isListed else { continue }
            let end = index + 1 < tags.count ? tags[index + 1].range.lowerBound : bytes.count
            parts[tag.role, default: []].append(Self.content(of: bytes[tag.range.upperBound..<end]))
        }
        guard let metaReasonings = parts[.metaReasoning] else {
            throw DecompositionFailure(reason: "no [sub-think i] or [Meta-reasoning i]", offset: 0, line: 1)
        }
        return LooseStructure(
            metaReasonings: metaReasonings, subProblems: parts[.subProblem] ?? [], answers: parts[.answer] ?? [])
    }
}

/// A tag as the released code's regular expressions see it.
struct ReferenceTag {
    var role: StepRole
    /// False where that code splits the text at the tag but then puts its part in none of the three lists.
    var isListed: Bool
    /// UTF-8 offsets.
    var range: Range<Int>

    private static let names: [(name: [UInt8], role: StepRole)] = [
        (Array("[sub-think".utf8), .metaReasoning), (Array("[Query".utf8), .subProblem),
        (Array("[Answer".utf8), .answer),
    ]

    static func all(in bytes: [UInt8]) -> [ReferenceTag] {
        var tags: [ReferenceTag] = []
        var position = 0
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "["), let tag = ReferenceTag(in: bytes, at: position) {
                tags.append(tag)
                position = tag.range.upperBound
            } else {
                position += 1
            }
        }
        return tags
    }

    init(role: StepRole, isListed: Bool, range: Range<Int>) {
        self.role = role
        self.isListed = isListed
        self.range = range
    }

    private init?(in bytes: [UInt8], at start: Int) {
        guard let (name, role) = Self.names.first(where: { bytes[start...].starts(with: $0.name) }) else { return nil }
        var position = start + name.count
        let spaces = position
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
        let digits = position
        while position < bytes.count, Self.isDigit(bytes[position]) { position += 1 }
        guard digits > spaces, position > digits, position < bytes.count, bytes[position] == UInt8(ascii: "]") else {
            return nil
        }
        self.role = role
        isListed = digits == spaces + 1 && bytes[spaces] == UInt8(ascii: " ")
        range = start..<position + 1
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || (9...13).contains(byte) || (28...31).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
