/// A rational number in lowest terms, so that "9", "9.0", "$9" and "18/2" are one value.
struct ExactNumber: Sendable, Hashable {
    let numerator: Int
    /// Positive.
    let denominator: Int

    init(_ integer: Int) {
        numerator = integer
        denominator = 1
    }

    /// Nil for a zero denominator, or where a part does not fit in 64 bits.
    init?(_ numerator: Int, over denominator: Int) {
        guard denominator != 0, numerator != .min, denominator != .min else { return nil }
        let sign = denominator < 0 ? -1 : 1
        let divisor = Self.greatestCommonDivisor(abs(numerator), abs(denominator))
        self.numerator = sign * numerator / divisor
        self.denominator = sign * denominator / divisor
    }

    private static func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
        var (larger, smaller) = (first, second)
        while smaller != 0 { (larger, smaller) = (smaller, larger % smaller) }
        return max(larger, 1)
    }

    func divided(by other: ExactNumber) -> ExactNumber? {
        let (top, topOverflow) = numerator.multipliedReportingOverflow(by: other.denominator)
        let (bottom, bottomOverflow) = denominator.multipliedReportingOverflow(by: other.numerator)
        return topOverflow || bottomOverflow ? nil : ExactNumber(top, over: bottom)
    }

    var negated: ExactNumber? { ExactNumber(0 &- numerator, over: denominator) }

    var approximation: Double { Double(numerator) / Double(denominator) }

    /// Equal, or one is the other rounded to hundredths: "3.33" answers for 10/3, "66.67" for 200/3.
    func isEqualOrRounded(_ other: ExactNumber) -> Bool {
        if self == other { return true }
        let (first, second) = (approximation, other.approximation)
        guard !(denominator == 1 && other.denominator == 1) else { return false }
        return abs(first - second) <= 0.005 + 1e-9 * max(abs(first), abs(second))
    }
}

extension ExactNumber {
    /// The number that starts at `start`, and where it ends.
    ///
    /// Digits with optional groups of three behind commas, then an optional decimal part: `1,250.50`. No sign. A point that no
    /// digit follows is left alone. Nil where no number starts, or it has more than 18 digits.
    static func scan(_ bytes: some RandomAccessCollection<UInt8>, from start: Int) -> (number: ExactNumber, end: Int)? {
        func byte(_ offset: Int) -> UInt8? {
            offset < bytes.count ? bytes[bytes.index(bytes.startIndex, offsetBy: offset)] : nil
        }
        func isDigit(_ offset: Int) -> Bool {
            byte(offset).map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
        }
        var value = 0
        var digits = 0
        var scale = 1
        var position = start
        func append(_ offset: Int) -> Bool {
            guard digits < 18, let digit = byte(offset) else { return false }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
            if value > 0 || scale > 1 { digits += 1 }
            return true
        }
        while isDigit(position) {
            guard append(position) else { return nil }
            position += 1
            let isGroup =
                byte(position) == UInt8(ascii: ",") && isDigit(position + 1) && isDigit(position + 2)
                && isDigit(position + 3) && !isDigit(position + 4)
            if isGroup { position += 1 }
        }
        let hasWhole = position > start
        if byte(position) == UInt8(ascii: "."), isDigit(position + 1) {
            position += 1
            while isDigit(position) {
                if digits < 18, scale < 1_000_000_000_000_000 {
                    scale *= 10
                    guard append(position) else { return nil }
                }
                position += 1
            }
        } else if !hasWhole {
            return nil
        }
        return ExactNumber(value, over: scale).map { ($0, position) }
    }

    /// The value of a text that is a number and nothing else but signs of currency, a percent sign, outer brackets and white
    /// space. A fraction is `a/b` or `\frac{a}{b}`; `-` or `−` before it negates.
    init?(exactly text: String) {
        let plain = LaTeXText.plain(Array(text.utf8))
        let parts = plain.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let top = Self.signedNumber(first) else { return nil }
        guard parts.count > 1 else {
            self = top
            return
        }
        guard let bottom = Self.signedNumber(parts[1]), let quotient = top.divided(by: bottom) else { return nil }
        self = quotient
    }

    private static func signedNumber(_ bytes: ArraySlice<UInt8>) -> ExactNumber? {
        var rest = bytes
        var isNegative = false
        while let first = rest.first, !(0x30...0x39).contains(first), first != UInt8(ascii: ".") {
            if let sign = ["€", "£", "¥", "–"].first(where: { rest.starts(with: $0.utf8) }) {
                guard sign != "–" || !isNegative else { return nil }
                isNegative = isNegative || sign == "–"
                rest = rest.dropFirst(sign.utf8.count)
                continue
            }
            if first == UInt8(ascii: "-") {
                guard !isNegative else { return nil }
                isNegative = true
            } else if !" \t\r\n$(+".utf8.contains(first) {
                return nil
            }
            rest = rest.dropFirst()
        }
        guard let (number, end) = scan(rest, from: 0) else { return nil }
        rest = rest.dropFirst(end)
        while let sign = ["€", "£", "¥"].first(where: { rest.starts(with: $0.utf8) }) {
            rest = rest.dropFirst(sign.utf8.count)
        }
        guard rest.allSatisfy({ " \t\r\n%)$.".utf8.contains($0) }) else { return nil }
        return isNegative ? number.negated : number
    }
}
