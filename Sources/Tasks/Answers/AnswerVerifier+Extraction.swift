/// Where a text states its final answer.
public enum AnswerStyle: String, Sendable, Codable, CaseIterable {
    /// `\boxed{…}`, the last that is closed.
    case boxed
    /// GSM8K: `#### 72`, the last such line.
    case hashes
    /// A line that begins with `A:`, `Answer:` or `Final answer:`, the last.
    case labelled
    /// Quantity graphs: `#7`, or `Answer 7`, at the end.
    case quantityGraph
    /// The last number in the text.
    case lastNumber
    /// The first of boxed, hashes, labelled and quantityGraph that is there.
    case automatic
}

extension AnswerVerifier {
    /// The final answer as written, trimmed; nil when the text states none. Linear in the text's length.
    public static func extractAnswer(from text: String, style: AnswerStyle) -> String? {
        let answer: String? =
            switch style {
            case .boxed: lastBoxed(text)
            case .hashes: afterMark("####", text)
            case .labelled: labelled(text)
            case .quantityGraph: quantityGraphAnswer(text)
            case .lastNumber: lastNumber(text)
            case .automatic:
                lastBoxed(text) ?? afterMark("####", text) ?? labelled(text) ?? quantityGraphAnswer(text)
            }
        guard let answer, !answer.isEmpty else { return nil }
        return answer
    }

    /// Extracts and compares; false when the text states no answer.
    public static func isCorrect(_ text: String, reference: String, style: AnswerStyle) -> Bool {
        extractAnswer(from: text, style: style).map { isEqual($0, reference) } ?? false
    }

    /// One pass with a stack of open braces; `\{` and `\}` are no braces.
    private static func lastBoxed(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        var openings: [(start: Int, isBoxed: Bool)] = []
        var found: Range<Int>?
        var commandStart: Int?
        var position = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\\"):
                commandStart = position + 1
                // What follows is part of the command, a brace or another backslash too.
                position += 1
            case UInt8(ascii: "{"):
                let isBoxed = commandStart.map {
                    bytes[$0..<position].elementsEqual("boxed".utf8) || bytes[$0..<position].elementsEqual("fbox".utf8)
                }
                openings.append((position + 1, isBoxed ?? false))
                commandStart = nil
            case UInt8(ascii: "}"):
                if let opening = openings.popLast(), opening.isBoxed { found = opening.start..<position }
                commandStart = nil
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: " "):
                break
            default:
                commandStart = nil
            }
            position += 1
        }
        return found.map { trim(String(decoding: bytes[$0], as: UTF8.self)) }
    }

    private static func afterMark(_ mark: String, _ text: String) -> String? {
        let line = text.split(whereSeparator: \.isNewline).last { $0.contains(mark) }
        guard let line, let range = line.ranges(of: mark).last else { return nil }
        return trim(line[range.upperBound...])
    }

    private static func labelled(_ text: String) -> String? {
        for line in text.split(whereSeparator: \.isNewline).reversed() {
            let trimmed = trim(line)
            for label in ["A:", "Answer:", "Final answer:", "Final Answer:"] where trimmed.hasPrefix(label) {
                return trim(trimmed.dropFirst(label.count))
            }
        }
        return nil
    }

    private static func quantityGraphAnswer(_ text: String) -> String? {
        let trimmed = trim(text)
        let digits = trimmed.reversed().prefix { $0.isASCII && $0.isNumber }
        let before = trimmed.dropLast(digits.count)
        guard !digits.isEmpty, before.hasSuffix("#") || before.hasSuffix(TeacherPhrases.answer) else { return nil }
        return String(digits.reversed())
    }

    /// With its sign, where that is no minus between two operands.
    private static func lastNumber(_ text: String) -> String? {
        NumberSpan.all(in: Array(text.utf8)).last?.text
    }

    private static func trim(_ text: some StringProtocol) -> String {
        var rest = Substring(text)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
