/// Cuts a template into tokens, with `trim_blocks` and `lstrip_blocks` as transformers sets them: a line's end right
/// after `%}` or `#}` is dropped, and so is the space before `{%` or `{#` on a line of its own.
struct TemplateLexer {
    private static let longestName = 256

    private let source: [Unicode.Scalar]
    private var index = 0
    private var position = TemplatePosition(line: 1, column: 1)
    private var tokens: [TemplateToken] = []
    /// Whether what came last ended a line, or nothing came yet.
    private var isAtLineStart = true

    private init(_ source: String) {
        var scalars: [Unicode.Scalar] = []
        for scalar in source.unicodeScalars {
            // A carriage return ends a line, alone or before a line feed.
            if scalar == "\n", scalars.last == "\r" { scalars.removeLast() }
            scalars.append(scalar)
        }
        scalars = scalars.map { $0 == "\r" ? "\n" : $0 }
        // Jinja drops the last line's end.
        if scalars.last == "\n" { scalars.removeLast() }
        self.source = scalars
    }

    static func tokens(_ source: String) throws(ChatTemplateError) -> [TemplateToken] {
        var lexer = TemplateLexer(source)
        while lexer.index < lexer.source.count { try lexer.readTextAndTag() }
        lexer.add(.end)
        return lexer.tokens
    }

    private mutating func add(_ kind: TemplateToken.Kind, at position: TemplatePosition? = nil) {
        tokens.append(TemplateToken(kind: kind, position: position ?? self.position))
    }

    private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
        source.indices.contains(index + offset) ? source[index + offset] : nil
    }

    private func isNext(_ text: String) -> Bool {
        source[index...].starts(with: text.unicodeScalars)
    }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count {
            if source[index] == "\n" {
                position = TemplatePosition(line: position.line + 1, column: 1)
            } else {
                position.column += 1
            }
            index += 1
        }
    }

    // MARK: Text

    private mutating func readTextAndTag() throws(ChatTemplateError) {
        let start = index
        let textPosition = position
        var tag: Unicode.Scalar?
        while index < source.count {
            if peek() == "{", let next = peek(1), next == "%" || next == "{" || next == "#" {
                tag = next
                break
            }
            advance()
        }
        var text = source[start..<index]
        guard let tag else {
            addText(text, textPosition)
            return
        }
        let sign = peek(2)
        if sign == "-" {
            while let last = text.last, PythonText.isSpace(last) { text.removeLast() }
        } else if sign != "+", tag != "{" {
            let lineStart = text.lastIndex(of: "\n").map { $0 + 1 }
            if lineStart != nil || isAtLineStart {
                let line = text[(lineStart ?? text.startIndex)...]
                if line.allSatisfy(PythonText.isSpace) { text = text[..<line.startIndex] }
            }
        }
        addText(text, textPosition)
        let tagPosition = position
        advance(sign == "-" || sign == "+" ? 3 : 2)
        if tag == "#" {
            try skipComment(tagPosition)
        } else {
            add(tag == "%" ? .statementBegin : .outputBegin, at: tagPosition)
            try readTag(isStatement: tag == "%", tagPosition)
        }
    }

    private mutating func addText(_ text: ArraySlice<Unicode.Scalar>, _ position: TemplatePosition) {
        guard !text.isEmpty else { return }
        var string = ""
        string.unicodeScalars.append(contentsOf: text)
        add(.text(string), at: position)
    }

    private mutating func skipComment(_ start: TemplatePosition) throws(ChatTemplateError) {
        while !isNext("#}") {
            guard index < source.count else { throw start.error(.syntax, "a comment without its end") }
            advance()
        }
        let sign = source[index - 1]
        advance(2)
        finishTag(stripsSpaces: sign == "-", stripsLine: sign != "+")
    }

    /// Drops what a tag's end takes of the text after it.
    private mutating func finishTag(stripsSpaces: Bool, stripsLine: Bool) {
        if stripsSpaces {
            while let next = peek(), PythonText.isSpace(next) { advance() }
        } else if stripsLine, peek() == "\n" {
            advance()
        }
        isAtLineStart = index > 0 && source[index - 1] == "\n"
    }

    // MARK: Tags

    private mutating func readTag(isStatement: Bool, _ start: TemplatePosition) throws(ChatTemplateError) {
        let end = isStatement ? "%}" : "}}"
        var brackets: [Unicode.Scalar] = []
        while true {
            while let next = peek(), PythonText.isSpace(next) { advance() }
            guard let next = peek() else { throw start.error(.syntax, "a tag without its end, \(end)") }
            if brackets.isEmpty, let sign = ["", "-", "+"].first(where: { isNext($0 + end) }),
                isStatement || sign != "+"
            {
                add(isStatement ? .statementEnd : .outputEnd)
                advance(end.count + sign.count)
                return finishTag(stripsSpaces: sign == "-", stripsLine: isStatement && sign != "+")
            }
            switch next {
            case "'", "\"": try readString(next)
            case "0"..."9": try readNumber()
            case "a"..."z", "A"..."Z", "_": try readName()
            default: try readSymbol(&brackets)
            }
        }
    }

    private mutating func readName() throws(ChatTemplateError) {
        let start = position
        var name = ""
        while let next = peek(), Self.isNamePart(next) {
            name.unicodeScalars.append(next)
            advance()
        }
        // Looking a name up is one step, however long it is.
        guard name.utf8.count <= Self.longestName else {
            throw start.error(.excessive, "a name of more than \(Self.longestName) characters")
        }
        add(.name(name), at: start)
    }

    private static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_": true
        default: false
        }
    }

    private mutating func readNumber() throws(ChatTemplateError) {
        let start = position
        var text = ""
        var isReal = false
        func isDigit(_ scalar: Unicode.Scalar?) -> Bool { scalar.map { "0"..."9" ~= $0 } ?? false }
        while let next = peek() {
            if next == ".", !isReal, isDigit(peek(1)) {
                isReal = true
            } else if !isDigit(next) {
                break
            }
            text.unicodeScalars.append(next)
            advance()
        }
        if let next = peek(), Self.isNamePart(next) { throw start.unsupported("a number such as \(text)\(next)") }
        if isReal, let value = Double(text) {
            add(.real(value), at: start)
        } else if let value = Int(text) {
            add(.integer(value), at: start)
        } else {
            throw start.unsupported("a number as large as \(text)")
        }
    }

    private mutating func readSymbol(_ brackets: inout [Unicode.Scalar]) throws(ChatTemplateError) {
        let start = position
        let symbols = [
            "==", "!=", ">=", "<=", "//", "**", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<",
            "=", ".", ":", "|", ",",
        ]
        guard let symbol = symbols.first(where: isNext) else {
            throw start.error(.syntax, "unexpected \"\(source[index])\"")
        }
        switch symbol {
        case "(": brackets.append(")")
        case "[": brackets.append("]")
        case "{": brackets.append("}")
        case ")", "]", "}":
            guard let open = brackets.popLast(), String(open) == symbol else {
                throw start.error(.syntax, "unexpected \"\(symbol)\"")
            }
        default: break
        }
        advance(symbol.count)
        add(.symbol(symbol), at: start)
    }

    private mutating func readString(_ quote: Unicode.Scalar) throws(ChatTemplateError) {
        let start = position
        advance()
        var text = String.UnicodeScalarView()
        while let next = peek(), next != quote {
            advance()
            if next == "\\" { try readEscape(into: &text) } else { text.append(next) }
        }
        guard peek() != nil else { throw start.error(.syntax, "a string without its end") }
        advance()
        add(.string(String(text)), at: start)
    }

    /// Python's escapes; a backslash before anything else stands for itself.
    private mutating func readEscape(into text: inout String.UnicodeScalarView) throws(ChatTemplateError) {
        let start = position
        guard let next = peek() else { return }
        advance()
        switch next {
        case "\n": break
        case "\\", "'", "\"": text.append(next)
        case "a": text.append("\u{7}")
        case "b": text.append("\u{8}")
        case "f": text.append("\u{c}")
        case "n": text.append("\n")
        case "r": text.append("\r")
        case "t": text.append("\t")
        case "v": text.append("\u{b}")
        case "x": text.append(try readCode(digits: 2, start))
        case "u": text.append(try readCode(digits: 4, start))
        case "U": text.append(try readCode(digits: 8, start))
        case "N", "0"..."7": throw start.unsupported("the escape \\\(next)")
        default:
            text.append("\\")
            text.append(next)
        }
    }

    private mutating func readCode(digits: Int, _ start: TemplatePosition) throws(ChatTemplateError) -> Unicode.Scalar {
        var code: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = peek().flatMap({ $0.isASCII ? Character($0).hexDigitValue : nil }) else {
                throw start.error(.syntax, "expected \(digits) hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            advance()
        }
        guard let scalar = Unicode.Scalar(code) else { throw start.unsupported("half of a surrogate pair") }
        return scalar
    }
}
