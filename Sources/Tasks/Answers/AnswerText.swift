/// An answer freed of what does not change its meaning: LaTeX spacing and delimiters, currency, units, spaces.
///
/// The rules follow the customary string normalisation for MATH answers (Hendrycks et al., "Measuring mathematical problem
/// solving with the MATH data set", arXiv 2103.03874), and are stated here one a line.
struct AnswerText: Sendable, Hashable {
    /// Without spaces; `\frac` and `\sqrt` with braced arguments.
    let text: String
    /// A percent sign stood at the end.
    let isPercent: Bool

    init(_ answer: String) {
        var text = answer
        // Most answers are plain numbers, and have none of the spellings.
        if !text.utf8.allSatisfy(AnswerText.isPlain) {
            for (spelling, meaning) in AnswerText.spellings where text.contains(spelling) {
                text = text.replacing(spelling, with: meaning)
            }
            text = AnswerText.unwrappingText(AnswerText.droppingSizes(text))
        }
        text = AnswerText.droppingUnit(AnswerText.trimmed(text))
        text.removeAll(where: \.isWhitespace)
        text = AnswerText.bracing(text)
        while text.hasSuffix(".") { text.removeLast() }
        isPercent = text.hasSuffix("%") && text.utf8.count > 1
        if isPercent { text.removeLast() }
        if text.hasPrefix("{"), text.hasSuffix("}"), !text.dropFirst().dropLast().contains(where: { "{}".contains($0) })
        {
            text = String(text.dropFirst().dropLast())
        }
        self.text = text
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte < 0x7e && ![UInt8(ascii: "\\"), UInt8(ascii: "$"), UInt8(ascii: "{")].contains(byte)
    }

    /// Spellings of one thing. An escaped dollar is currency, a bare one a delimiter; neither is part of the value.
    private static let spellings: [(String, String)] = [
        ("\u{2212}", "-"), ("\\!", ""), ("\\,", ""), ("\\;", ""), ("\\:", ""), ("\\ ", " "), ("~", " "),
        ("{,}", ","), ("\\dfrac", "\\frac"), ("\\tfrac", "\\frac"), ("\\cfrac", "\\frac"), ("\\$", ""), ("$", ""),
        ("\\(", ""), ("\\)", ""), ("\\[", ""), ("\\]", ""), ("\\%", "%"), ("^{\\circ}", ""), ("^\\circ", ""), ("°", ""),
        ("\\displaystyle", ""), ("\\dots", "\\ldots"),
    ]

    private static func trimmed(_ text: String) -> String {
        var rest = Substring(text)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }

    /// `\left(` and `\right]` are `(` and `]`; `\leftarrow` stays.
    private static func droppingSizes(_ text: String) -> String {
        var result = text
        for size in ["\\left", "\\right"] {
            let pieces = result.split(separator: size, omittingEmptySubsequences: false)
            result = pieces.dropFirst().reduce(into: String(pieces.first ?? "")) { joined, piece in
                joined += (piece.first?.isLetter == true ? size : "") + piece
            }
        }
        return result
    }

    /// `\text{Evelyn}` is `Evelyn`; at the end of a number, as in `5\text{ cm}`, it is a unit and goes.
    private static func unwrappingText(_ text: String) -> String {
        var result = text
        for command in ["\\text{", "\\textbf{", "\\textit{", "\\mbox{", "\\mathrm{", "\\mathbf{"] {
            while let start = result.firstRange(of: command),
                let end = result[start.upperBound...].firstIndex(of: "}")
            {
                let before = result[..<start.lowerBound]
                let after = result[result.index(after: end)...]
                let isUnit =
                    after.allSatisfy { $0.isWhitespace || $0 == "." }
                    && (before.last { !$0.isWhitespace }).map { $0.isNumber || $0 == "}" } ?? false
                result = String(isUnit ? before : before + result[start.upperBound..<end] + after)
            }
        }
        return result
    }

    /// `18 dollars` is `18`; `2 pi` stays, and so does a single letter, which may be a variable.
    private static func droppingUnit(_ text: String) -> String {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let number = words.first, words.count > 1, number.contains(where: \.isNumber),
            Rational(parsing: String(number).replacing("%", with: "")) != nil
        else { return text }
        let unit = words.dropFirst()
        let isUnit = unit.allSatisfy { word in
            word.allSatisfy { $0.isLetter || $0 == "." } && word.count > 1
                && !["pi", "sqrt", "infinity"].contains(word)
        }
        return isUnit ? String(number) : text
    }

    /// `\frac12` is `\frac{1}{2}`, `\sqrt2` is `\sqrt{2}`.
    private static func bracing(_ text: String) -> String {
        guard text.contains("\\frac") || text.contains("\\sqrt") else { return text }
        var result = ""
        var rest = Substring(text)
        while let first = rest.first {
            guard let (command, arguments) = [("\\frac", 2), ("\\sqrt", 1)].first(where: { rest.hasPrefix($0.0) })
            else {
                result.append(first)
                rest.removeFirst()
                continue
            }
            result += command
            rest = rest.dropFirst(command.count)
            for _ in 0..<arguments {
                guard let argument = rest.first, argument.isNumber || argument.isLetter else { break }
                result += "{\(argument)}"
                rest.removeFirst()
            }
        }
        return result
    }
}
