import Foundation

/// Texts as Python has them: its spaces, `str` and `repr`.
enum PythonText {
    /// `str.isspace`
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0d, 0x1c...0x20, 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000:
            true
        default: false
        }
    }

    /// `repr` of a float: the shortest digits that read back the same, with an exponent below 10⁻⁴ and from 10¹⁶ on.
    static func literal(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let sign = value.sign == .minus ? "-" : ""
        // Swift's description has the same digits, and other bounds for the exponent.
        let parts = "\(value.magnitude)".split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        let whole = String(mantissa[0])
        let fraction = mantissa.count > 1 && mantissa[1] != "0" ? String(mantissa[1]) : ""
        let written = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        var digits = (whole + fraction).drop { $0 == "0" }
        guard !digits.isEmpty else { return sign + "0.0" }
        // The value is 0.digits · 10^point.
        let leading = (whole + fraction).count - digits.count
        let point = whole.count - leading + written
        while digits.last == "0" { digits.removeLast() }
        if point > 16 || point < -3 {
            let rest = digits.dropFirst()
            let exponent = abs(point - 1) < 10 ? "0\(abs(point - 1))" : "\(abs(point - 1))"
            return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest) + "e" + (point < 1 ? "-" : "+") + exponent
        }
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if digits.count <= point { return sign + digits + String(repeating: "0", count: point - digits.count) + ".0" }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }

    /// `repr` of a string.
    static func literal(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
        var result = Array(String(quote).utf8)
        for scalar in scalars {
            switch scalar {
            case "\\", quote: result += "\\\(scalar)".utf8
            case "\n": result += "\\n".utf8
            case "\r": result += "\\r".utf8
            case "\t": result += "\\t".utf8
            case " "..."~": result.append(UInt8(scalar.value))
            case _ where isPrintable(scalar): result += UTF8.encode(scalar) ?? .init()
            default:
                let digits = String(scalar.value, radix: 16)
                let (letter, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
                result += "\\\(letter)\(String(repeating: "0", count: width - digits.count))\(digits)".utf8
            }
        }
        return String(decoding: result, as: UTF8.self) + String(quote)
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }

    /// `strftime` of the present local time.
    static func now(format: String) -> String {
        var seconds = time(nil)
        var parts = tm()
        localtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 4 * format.utf8.count + 256)
        let count = strftime(&buffer, buffer.count, format, &parts)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
