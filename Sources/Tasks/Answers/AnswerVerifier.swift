/// Whether two answers are the same.
public enum AnswerVerifier {
    /// Numbers and fractions by exact rational value (`3/4`, `0.75`, `\frac{3}{4}`, `1,234.50`, `$18`, `72.`); tuples and
    /// lists of equal brackets element by element; else the normalised texts. When one side alone carries a percent sign,
    /// `50%` equals both `50` and `0.5`; `x=5` equals `5`. Nothing equals an empty answer.
    public static func isEqual(_ answer: String, _ reference: String) -> Bool {
        guard max(answer.utf8.count, reference.utf8.count) <= longest else { return answer == reference }
        return isEqual(AnswerText(answer), AnswerText(reference))
    }

    /// Above this length, in bytes, only equal texts are equal: no reference answer is near it, and nesting stays shallow.
    private static let longest = 1_000

    private static func isEqual(_ left: AnswerText, _ right: AnswerText) -> Bool {
        guard !left.text.isEmpty, !right.text.isEmpty else { return false }
        if let first = Rational(parsing: left.text), let second = Rational(parsing: right.text) {
            if first == second { return true }
            guard left.isPercent != right.isPercent else { return false }
            return left.isPercent ? first * .hundredth == second : second * .hundredth == first
        }
        if left.text == right.text { return true }
        if let (first, second) = withoutVariable(left.text, right.text) {
            return isEqual(AnswerText(first), AnswerText(second))
        }
        if let first = elements(left.text), let second = elements(right.text), first.open == second.open,
            first.close == second.close, first.elements.count == second.elements.count
        {
            return zip(first.elements, second.elements).allSatisfy { isEqual(AnswerText($0), AnswerText($1)) }
        }
        return isWord(left.text) && isWord(right.text) && left.text.lowercased() == right.text.lowercased()
    }

    /// Both sides, freed of `x=` where one of them alone has it.
    private static func withoutVariable(_ left: String, _ right: String) -> (String, String)? {
        func value(_ text: String) -> String? {
            let sides = text.split(separator: "=", omittingEmptySubsequences: false)
            guard sides.count == 2, sides[0].count == 1, sides[0].allSatisfy(\.isLetter) else { return nil }
            return String(sides[1])
        }
        return switch (left.contains("="), right.contains("=")) {
        case (true, false): value(left).map { ($0, right) }
        case (false, true): value(right).map { (left, $0) }
        default: nil
        }
    }

    /// The parts between the commas that are in no inner bracket, and the outer brackets where the text has them.
    private static func elements(_ text: String) -> (open: Character?, close: Character?, elements: [String])? {
        var inner = Substring(text)
        var open: Character?
        var close: Character?
        if let first = text.first, let last = text.last, "([".contains(first), ")]".contains(last), text.count > 2 {
            (open, close) = (first, last)
            inner = inner.dropFirst().dropLast()
        }
        var parts = [""]
        var depth = 0
        for character in inner {
            if "([{".contains(character) { depth += 1 }
            if ")]}".contains(character) { depth -= 1 }
            guard depth >= 0 else { return nil }
            if character == "," && depth == 0 {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return depth == 0 && parts.count > 1 ? (open, close, parts) : nil
    }

    private static func isWord(_ text: String) -> Bool {
        text.count > 1 && text.allSatisfy { $0.isLetter || "()".contains($0) }
    }
}
