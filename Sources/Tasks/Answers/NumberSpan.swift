/// A number somewhere in a text.
struct NumberSpan: Sendable, Hashable {
    /// In UTF-8 bytes, the sign within.
    var range: Range<Int>
    /// Without the commas of thousands.
    var text: String

    /// Every number, left to right: `-1,234.50` is one. A minus is a sign when it touches the digits, no digit or closing
    /// bracket stands before it, and it does not touch a letter; digits after a letter, as in `x2`, are no number.
    static func all(in bytes: [UInt8]) -> [NumberSpan] {
        var spans: [NumberSpan] = []
        var position = 0
        while position < bytes.count {
            let start = position
            guard isDigit(bytes[start]) || isLeadingPoint(start, bytes) else {
                position += 1
                continue
            }
            _ = Rational.takeNumber(bytes, &position)
            if start > 0, isWordByte(bytes[start - 1]) { continue }
            let isNegative = start > 0 && bytes[start - 1] == UInt8(ascii: "-") && isSign(start - 1, bytes)
            let range = (isNegative ? start - 1 : start)..<position
            let digits = bytes[range].filter { $0 != UInt8(ascii: ",") }
            spans.append(NumberSpan(range: range, text: String(decoding: digits, as: UTF8.self)))
        }
        return spans
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
    }

    /// `.5`, but not the point of `3.5`, which belongs to the number before it.
    private static func isLeadingPoint(_ index: Int, _ bytes: [UInt8]) -> Bool {
        bytes[index] == UInt8(ascii: ".") && index + 1 < bytes.count && isDigit(bytes[index + 1])
            && (index == 0 || !isDigit(bytes[index - 1]))
    }

    private static func isSign(_ index: Int, _ bytes: [UInt8]) -> Bool {
        var before = index
        while before > 0, bytes[before - 1] == UInt8(ascii: " ") { before -= 1 }
        guard before > 0 else { return true }
        let byte = bytes[before - 1]
        let isAdjacentLetter = before == index && isWordByte(byte)
        return !isDigit(byte) && !isAdjacentLetter && ![0x29, 0x5d, 0x7d].contains(byte)
    }
}
