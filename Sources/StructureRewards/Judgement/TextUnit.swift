/// A word, a number or a sign of a text, normalised for comparison.
enum TextUnit: Sendable, Hashable {
    /// Lower case, with the ending of plural, past or progressive taken off.
    case word(String)
    case number(ExactNumber)
    /// An operator, a relation or a round bracket.
    case sign(UInt8)
}

extension TextUnit {
    /// The units of `text` in order, LaTeX read as plain text. Punctuation, signs of currency and a hyphen within a word are
    /// passed over; `×`, `÷`, `−` count as `*`, `/`, `-`; other symbols are words; number words ("three", "half", "dozen",
    /// "twice") are numbers; an apostrophe ends a word and its `s` is dropped.
    static func all(in text: String) -> [TextUnit] {
        var units: [TextUnit] = []
        var word = ""
        let bytes = LaTeXText.plain(Array(text.utf8))
        var position = 0
        func finishWord() {
            guard !word.isEmpty else { return }
            if let number = numberWords[word] {
                units.append(.number(number))
            } else {
                units.append(.word(WordStem.of(word)))
            }
            word = ""
        }
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                word.unicodeScalars.append(Unicode.Scalar(byte | 0x20))
                position += 1
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                finishWord()
                guard let (number, end) = ExactNumber.scan(bytes, from: position) else {
                    let end = bytes[position...].firstIndex { !isDigit($0) } ?? bytes.count
                    units.append(.word(String(decoding: bytes[position..<end], as: UTF8.self)))
                    position = end
                    continue
                }
                units.append(.number(number))
                position = end
            case UInt8(ascii: "'"):
                finishWord()
                position += skippedPossessive(bytes, after: position + 1)
            case 0x80...:
                let (scalar, length) = decodeScalar(bytes, at: position)
                position += length
                switch scalar {
                case "’", "‘":
                    finishWord()
                    position += skippedPossessive(bytes, after: position) - 1
                case "×", "·", "∙":
                    finishWord()
                    units.append(.sign(UInt8(ascii: "*")))
                case "÷":
                    finishWord()
                    units.append(.sign(UInt8(ascii: "/")))
                case "−", "–":
                    finishWord()
                    units.append(.sign(UInt8(ascii: "-")))
                case "½":
                    finishWord()
                    units.append(contentsOf: numberWords["half"].map { [.number($0)] } ?? [])
                default:
                    if scalar.properties.isAlphabetic {
                        word += scalar.properties.lowercaseMapping
                    } else {
                        finishWord()
                        if isSymbol(scalar) { units.append(.word(String(scalar))) }
                    }
                }
            default:
                let isHyphen = byte == UInt8(ascii: "-") && !word.isEmpty && isLetter(bytes, at: position + 1)
                finishWord()
                if !isHyphen, "+-*/=^<>()".utf8.contains(byte) { units.append(.sign(byte)) }
                position += 1
            }
        }
        finishWord()
        return units
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isLetter(_ bytes: [UInt8], at position: Int) -> Bool {
        position < bytes.count && (0x61...0x7a).contains(bytes[position] | 0x20)
    }

    /// Mathematical and other symbols, such as √ and ∞; punctuation, currency and combining marks are none.
    private static func isSymbol(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .mathSymbol, .otherSymbol, .otherNumber: true
        default: false
        }
    }

    /// 2 where a lone `s` follows an apostrophe, counting the apostrophe; else 1.
    private static func skippedPossessive(_ bytes: [UInt8], after position: Int) -> Int {
        guard position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "s") else { return 1 }
        let next = position + 1 < bytes.count ? bytes[position + 1] | 0x20 : 0
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(next) ? 1 : 2
    }

    /// The scalar at `position` of valid UTF-8, and its length in bytes.
    private static func decodeScalar(_ bytes: [UInt8], at position: Int) -> (Unicode.Scalar, Int) {
        let length = bytes[position] >= 0xF0 ? 4 : bytes[position] >= 0xE0 ? 3 : 2
        let end = min(position + length, bytes.count)
        let scalar = String(decoding: bytes[position..<end], as: UTF8.self).unicodeScalars.first ?? "\u{FFFD}"
        return (scalar, end - position)
    }

    private static let numberWords: [String: ExactNumber] = {
        let integers: [(String, Int)] = [
            ("zero", 0), ("one", 1), ("two", 2), ("three", 3), ("four", 4), ("five", 5), ("six", 6), ("seven", 7),
            ("eight", 8), ("nine", 9), ("ten", 10), ("eleven", 11), ("twelve", 12), ("twenty", 20), ("thirty", 30),
            ("forty", 40), ("fifty", 50), ("sixty", 60), ("seventy", 70), ("eighty", 80), ("ninety", 90),
            ("hundred", 100), ("thousand", 1000), ("dozen", 12), ("twice", 2), ("double", 2), ("thrice", 3),
            ("triple", 3),
        ]
        let fractions: [(String, Int)] = [("half", 2), ("third", 3), ("quarter", 4)]
        var words = Dictionary(integers.map { ($0.0, ExactNumber($0.1)) }, uniquingKeysWith: { first, _ in first })
        for (word, denominator) in fractions { words[word] = ExactNumber(1, over: denominator) }
        return words
    }()
}
