/// One line of a free text without its mark-up: what `SolutionLineReader` looks for results in.
struct PlainLine: Sendable {
    /// UTF-8 of the line, without list markers, emphasis, LaTeX and calculator marks.
    var bytes: [UInt8]
    /// It began as an item of a list, as a heading or with "Step 3:".
    var isItem: Bool
    /// It had emphasis, a list marker, a heading or LaTeX.
    var hasMarkup: Bool
    /// It had `\boxed{…}`.
    var isBoxed: Bool
    /// It had a calculator mark, `<<48/2=24>>`.
    var hasCalculation: Bool
    /// It began with four number signs, as the last line of a GSM8K solution does.
    var hasAnswerSign: Bool

    init(_ line: Substring) {
        let trimmed = line.trimmed
        let withoutMarks = Self.withoutCalculations(Array(trimmed.utf8))
        hasCalculation = withoutMarks.count != trimmed.utf8.count
        isBoxed = Self.contains("\\boxed", in: withoutMarks)
        let latex = LaTeXText.plain(withoutMarks)
        let marker = LineMarker(latex)
        isItem = marker.isItem
        hasAnswerSign = marker.numberSigns == 4
        let body = latex[marker.length...]
        bytes = Self.withoutEmphasis(body)
        hasMarkup = marker.length > 0 || latex.count != withoutMarks.count || bytes.count != body.count
    }

    var text: String { String(String(decoding: bytes, as: UTF8.self)[...].trimmed) }

    private static func contains(_ word: String, in bytes: [UInt8]) -> Bool {
        let pattern = Array(word.utf8)
        return bytes.indices.contains { bytes[$0...].starts(with: pattern) }
    }

    /// Without every `<<…>>`; an opening that nothing closes stays.
    private static func withoutCalculations(_ bytes: [UInt8]) -> [UInt8] {
        let (open, close) = (UInt8(ascii: "<"), UInt8(ascii: ">"))
        guard let lastClose = bytes.indices.dropLast().last(where: { bytes[$0] == close && bytes[$0 + 1] == close })
        else {
            return bytes
        }
        var kept: [UInt8] = []
        var position = 0
        while position < bytes.count {
            if position < lastClose, bytes[position] == open, bytes[position + 1] == open {
                position += 2
                while !(bytes[position] == close && bytes[position + 1] == close) { position += 1 }
                position += 2
            } else {
                kept.append(bytes[position])
                position += 1
            }
        }
        return kept
    }

    /// Without `**`, `__` and back-quotes; a single `*` may multiply and stays.
    private static func withoutEmphasis(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var kept: [UInt8] = []
        var position = bytes.startIndex
        while position < bytes.endIndex {
            let byte = bytes[position]
            let isDoubled = position + 1 < bytes.endIndex && bytes[position + 1] == byte
            if isDoubled, byte == UInt8(ascii: "*") || byte == UInt8(ascii: "_") {
                position += 2
            } else {
                if byte != UInt8(ascii: "`") { kept.append(byte) }
                position += 1
            }
        }
        return kept
    }
}

/// What stands before the text of a line: `3.`, `2)`, `-`, `*`, `•`, `###`, `Step 3:`.
private struct LineMarker {
    var length = 0
    var isItem = false
    var numberSigns = 0

    init(_ bytes: [UInt8]) {
        skipSpaces(bytes)
        let start = length
        while length < bytes.count, bytes[length] == UInt8(ascii: "#") { length += 1 }
        numberSigns = length - start
        isItem = numberSigns > 0
        skipSpaces(bytes)
        skipBullet(bytes)
        skipStars(bytes)
        skipStep(bytes)
        skipNumber(bytes)
    }

    private mutating func skipSpaces(_ bytes: [UInt8]) {
        while length < bytes.count, bytes[length] == UInt8(ascii: " ") || bytes[length] == UInt8(ascii: "\t") {
            length += 1
        }
    }

    private mutating func skipStars(_ bytes: [UInt8]) {
        while length + 1 < bytes.count, bytes[length] == UInt8(ascii: "*"), bytes[length + 1] == UInt8(ascii: "*") {
            length += 2
        }
    }

    private mutating func skipBullet(_ bytes: [UInt8]) {
        let bullets = ["- ", "* ", "+ ", "• ", "– "]
        guard let bullet = bullets.first(where: { bytes[length...].starts(with: $0.utf8) }) else { return }
        length += bullet.utf8.count
        isItem = true
        skipSpaces(bytes)
    }

    private mutating func skipStep(_ bytes: [UInt8]) {
        let word = Array("step".utf8)
        guard bytes.count >= length + word.count, bytes[length..<length + word.count].map({ $0 | 0x20 }) == word else {
            return
        }
        var position = length + word.count
        while position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
        let digits = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
        guard position > digits else { return }
        while position < bytes.count, ":.)-* ".utf8.contains(bytes[position]) { position += 1 }
        length = position
        isItem = true
    }

    /// `3. ` or `3) `: at most three digits, so that "1000. " stays a number.
    private mutating func skipNumber(_ bytes: [UInt8]) {
        var position = length
        while position < bytes.count, position - length < 3, (0x30...0x39).contains(bytes[position]) { position += 1 }
        guard position > length, position + 1 < bytes.count,
            bytes[position] == UInt8(ascii: ".") || bytes[position] == UInt8(ascii: ")"),
            bytes[position + 1] == UInt8(ascii: " ")
        else { return }
        length = position + 2
        isItem = true
        skipSpaces(bytes)
    }
}
