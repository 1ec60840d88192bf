/// The last result of a line: the value after the last equals sign, else the last number.
struct LineResult: Sendable {
    /// UTF-8 offsets of the value, with the sign of currency and the percent sign next to it.
    var range: Range<Int>
    /// The value as written, without currency, percent and white space.
    var text: String
    /// It stands after an equals sign that has a number on its left, too, or the line had a calculator mark.
    var isComputed: Bool

    init?(_ line: PlainLine) {
        let bytes = line.bytes
        for position in bytes.indices.reversed() where bytes[position] == UInt8(ascii: "=") {
            if var value = Self.value(in: bytes, after: position + 1, isFinal: line.hasCalculation) {
                value.isComputed = line.hasCalculation || bytes[..<position].contains { (0x30...0x39).contains($0) }
                self = value
                return
            }
        }
        guard let last = Self.lastNumber(in: bytes) else { return nil }
        self = last
        isComputed = line.hasCalculation
    }

    private init(range: Range<Int>, text: String, isComputed: Bool) {
        self.range = range
        self.text = text
        self.isComputed = isComputed
    }

    /// The number right after an equals sign, if it is a result and not the start of an expression such as `2 + 1` or `2x`.
    ///
    /// - Parameter isFinal: what follows does not matter, because the line has a calculator mark.
    private static func value(in bytes: [UInt8], after start: Int, isFinal: Bool) -> LineResult? {
        var position = start
        var isNegative = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "-"), !isNegative {
                isNegative = true
            } else if byte == 0xC2 || byte == 0xE2, let length = currencyLength(bytes, at: position) {
                position += length - 1
            } else if !" \t$(~*".utf8.contains(byte) {
                break
            }
            position += 1
        }
        let first = position
        guard let (_, wholeEnd) = ExactNumber.scan(bytes, from: first) else { return nil }
        var end = wholeEnd
        if end < bytes.count, bytes[end] == UInt8(ascii: "/"), let (_, last) = ExactNumber.scan(bytes, from: end + 1) {
            end = last
        }
        if end > wholeEnd, bytes[first..<end].contains(UInt8(ascii: ".")) { return nil }
        guard isFinal || !startsVariable(bytes, at: end) && !isContinued(bytes, at: end) else { return nil }
        let digits = String(decoding: bytes[first..<end], as: UTF8.self)
        return LineResult(range: start..<end, text: isNegative ? "-" + digits : digits, isComputed: true)
    }

    private static func lastNumber(in bytes: [UInt8]) -> LineResult? {
        var found: LineResult?
        var position = 0
        while position < bytes.count {
            let isWithinWord = position > 0 && (0x61...0x7a).contains(bytes[position - 1] | 0x20)
            if (0x30...0x39).contains(bytes[position]) {
                guard let (_, end) = ExactNumber.scan(bytes, from: position) else {
                    position = bytes[position...].firstIndex { !(0x30...0x39).contains($0) } ?? bytes.count
                    continue
                }
                if !isWithinWord {
                    let text = String(decoding: bytes[position..<end], as: UTF8.self)
                    found = LineResult(range: position..<end, text: text, isComputed: false)
                }
                position = end
            } else {
                position += 1
            }
        }
        return found
    }

    private static func currencyLength(_ bytes: [UInt8], at position: Int) -> Int? {
        ["£", "€", "¥", "\u{a0}"].first { bytes[position...].starts(with: $0.utf8) }?.utf8.count
    }

    /// A single letter right after a number, as in `2x`.
    private static func startsVariable(_ bytes: [UInt8], at end: Int) -> Bool {
        guard end < bytes.count, isLetter(bytes[end]) else { return false }
        return end + 1 == bytes.count || !isLetter(bytes[end + 1])
    }

    /// An operator and another operand follow, with or without a unit between, as in `2 cups + 1 cup`.
    private static func isContinued(_ bytes: [UInt8], at end: Int) -> Bool {
        var position = end
        while position < bytes.count, isLetter(bytes[position]) || " )%".utf8.contains(bytes[position]) {
            position += 1
        }
        guard position < bytes.count, "+-*/".utf8.contains(bytes[position]) else { return false }
        position += 1
        while position < bytes.count, " $(".utf8.contains(bytes[position]) { position += 1 }
        return position < bytes.count && (0x30...0x39).contains(bytes[position])
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) }
}
