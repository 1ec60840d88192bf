/// Bounds what one rendering may cost, so that no template hangs or exhausts memory.
struct TemplateBudget {
    /// Some seconds of work; a conversation of a megabyte takes a few hundred thousand.
    static let steps = 2_000_000
    /// UTF-8 bytes of any text, output included.
    static let longestText = 1 << 24
    /// Statements, expressions and filters within one another, through macros too. With values as deep as there may be, a stack of
    /// 512 KiB holds as many; threads here have more.
    static let deepestNesting = 200

    private var remaining = steps
    private var depth = 0

    /// Counts steps: an evaluation is one, and so is an element made.
    mutating func charge(_ steps: Int = 1) throws(TemplateFault) {
        remaining -= steps
        guard remaining >= 0 else { throw .excessive("takes more than \(Self.steps) steps") }
    }

    /// Counts a text that was made.
    mutating func charge(text: String) throws(TemplateFault) {
        try charge(textLength: text.utf8.count)
    }

    mutating func charge(textLength: Int) throws(TemplateFault) {
        try check(textLength: textLength)
        try charge(textLength / 64 + 1)
    }

    private func check(textLength: Int) throws(TemplateFault) {
        guard textLength <= Self.longestText else {
            throw .excessive("makes a text of more than \(Self.longestText) bytes")
        }
    }

    /// Appends to a text that is being made; what makes the part is counted by itself.
    mutating func append(_ part: String, to text: inout String) throws(TemplateFault) {
        try check(textLength: text.utf8.count + part.utf8.count)
        try charge(part.utf8.count / 64)
        text += part
    }

    /// Counts the texts among values that are to be looked through.
    mutating func charge(textsOf values: [TemplateValue]) throws(TemplateFault) {
        for case .string(let text) in values { try charge(text: text) }
    }

    /// Counts a change of case, which looks every character up.
    mutating func charge(casingOf text: String) throws(TemplateFault) {
        try charge(text.utf8.count / 8)
    }

    /// Counts a list whose elements are looked at or handed on, but not made.
    mutating func charge(elements count: Int) throws(TemplateFault) {
        try charge(count / 64 + 1)
    }

    mutating func enter() throws(TemplateFault) {
        depth += 1
        guard depth <= Self.deepestNesting else { throw .excessive("nested deeper than \(Self.deepestNesting)") }
    }

    mutating func leave() {
        depth -= 1
    }
}
