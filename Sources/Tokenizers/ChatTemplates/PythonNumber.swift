/// Numbers written in strings, as Python's `int` and `float` read them.
enum PythonNumber {
    static let tooLarge = TemplateFault.unsupported("an integer beyond 64 bits")

    /// Python refuses longer ones, as reading them takes time quadratic in their length.
    private static let mostDigits = 4300

    /// `int`; nil where Python raises `ValueError`.
    static func integer(_ text: String) throws(TemplateFault) -> Int? {
        guard let plain = plain(text) else { return nil }
        let digits = unsigned(plain)
        guard 1...mostDigits ~= digits.count, digits.allSatisfy(isDigit) else { return nil }
        guard let integer = Int(String(decoding: plain, as: UTF8.self)) else { throw tooLarge }
        return integer
    }

    /// `float`; nil where Python raises `ValueError`.
    static func real(_ text: String) -> Double? {
        guard let plain = plain(text) else { return nil }
        // Swift reads hexadecimal too.
        if plain.allSatisfy(isDecimal) { return Double(String(decoding: plain, as: UTF8.self)) }
        switch String(decoding: unsigned(plain), as: UTF8.self).lowercased() {
        case "inf", "infinity": return plain.first == UInt8(ascii: "-") ? -.infinity : .infinity
        case "nan": return .nan
        default: return nil
        }
    }

    /// As ASCII, without spaces around it and underscores between digits; nil where it is none, or underscores stand
    /// elsewhere.
    private static func plain(_ text: String) -> [UInt8]? {
        var ascii: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard let byte = Self.ascii(scalar) else { return nil }
            ascii.append(byte)
        }
        var rest = ascii[...]
        while let first = rest.first, isSpace(first) { rest.removeFirst() }
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        let underscore = UInt8(ascii: "_")
        var previous: UInt8 = 0
        for byte in rest {
            let fits = byte == underscore ? isDigit(previous) : previous != underscore || isDigit(byte)
            guard fits else { return nil }
            previous = byte
        }
        return previous == underscore ? nil : rest.filter { $0 != underscore }
    }

    /// Python's digits and spaces are those of every script.
    private static func ascii(_ scalar: Unicode.Scalar) -> UInt8? {
        if scalar.isASCII { return UInt8(scalar.value) }
        if PythonText.isSpace(scalar) { return UInt8(ascii: " ") }
        guard scalar.properties.generalCategory == .decimalNumber, let value = scalar.properties.numericValue else {
            return nil
        }
        return UInt8(ascii: "0") + UInt8(value)
    }

    private static func unsigned(_ plain: [UInt8]) -> ArraySlice<UInt8> {
        let isSigned = plain.first == UInt8(ascii: "+") || plain.first == UInt8(ascii: "-")
        return plain.dropFirst(isSigned ? 1 : 0)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }

    /// Whether a number that is no word may have it.
    private static func isDecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): true
        default: isDigit(byte)
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || 0x09...0x0d ~= byte
    }
}
