/// LaTeX as plain text: `\frac{1}{3} \times 6 = 2 \text{ hours}` gives `1/3 * 6 = 2  hours`.
enum LaTeXText {
    private enum Brace {
        case plain
        case numerator
        case compoundNumerator
        case compoundDenominator
    }

    private static let replacements: [String: String] = [
        "times": " * ", "cdot": " * ", "ast": " * ", "div": " / ", "approx": " = ", "equiv": " = ", "pm": " ",
        "text": "", "textbf": "", "textit": "", "mathrm": "", "mathbf": "", "mathit": "", "boxed": "", "left": "",
        "right": "", "quad": " ", "qquad": " ", "implies": " ", "Rightarrow": " ", "rightarrow": " ", "to": " ",
        "displaystyle": "", "begin": " ", "end": " ", "ldots": " ", "dots": " ", "fbox": "",
    ]

    /// A text without a backslash only has `≈` turned to `=` and `×`, `÷` to `*`, `/`.
    static func plain(_ bytes: [UInt8]) -> [UInt8] {
        let hasCommands = bytes.contains(UInt8(ascii: "\\"))
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var braces: [Brace] = []
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0xC3 || byte == 0xE2, let sign = mathSign(bytes, at: position) {
                output.append(contentsOf: [UInt8(ascii: " "), sign.byte, UInt8(ascii: " ")])
                position += sign.length
            } else if !hasCommands {
                output.append(byte)
                position += 1
            } else if byte == UInt8(ascii: "\\") {
                position = appendCommand(bytes, at: position + 1, to: &output, braces: &braces)
            } else if byte == UInt8(ascii: "{") {
                braces.append(.plain)
                position += 1
            } else if byte == UInt8(ascii: "}") {
                position = closeBrace(bytes, after: position + 1, to: &output, braces: &braces)
            } else {
                output.append(byte)
                position += 1
            }
        }
        return output
    }

    private static func appendCommand(
        _ bytes: [UInt8], at start: Int, to output: inout [UInt8], braces: inout [Brace]
    ) -> Int {
        let end = bytes[start...].firstIndex { !(0x61...0x7a).contains($0 | 0x20) } ?? bytes.count
        guard end > start else {
            guard start < bytes.count else { return start }
            let byte = bytes[start]
            let isLiteral = "$%{}#&_".utf8.contains(byte)
            output.append(isLiteral ? byte : UInt8(ascii: " "))
            return byte < 0x80 ? start + 1 : start
        }
        let name = String(decoding: bytes[start..<end], as: UTF8.self)
        if ["frac", "dfrac", "tfrac", "cfrac"].contains(name), end < bytes.count, bytes[end] == UInt8(ascii: "{") {
            let isCompound = isCompoundFraction(bytes, numeratorAt: end + 1)
            braces.append(isCompound ? .compoundNumerator : .numerator)
            if isCompound { output.append(UInt8(ascii: "(")) }
            return end + 1
        }
        output.append(contentsOf: (replacements[name] ?? " \(name) ").utf8)
        return end
    }

    /// True unless both parts are digits alone, which need no brackets.
    private static func isCompoundFraction(_ bytes: [UInt8], numeratorAt start: Int) -> Bool {
        func endOfNumber(_ start: Int) -> Int? {
            let end = bytes[start...].firstIndex { !(0x30...0x39).contains($0) && $0 != 0x2c && $0 != 0x2e }
            return end.flatMap { $0 > start && bytes[$0] == UInt8(ascii: "}") ? $0 : nil }
        }
        guard let end = endOfNumber(start), end + 1 < bytes.count, bytes[end + 1] == UInt8(ascii: "{") else {
            return true
        }
        return endOfNumber(end + 2) == nil
    }

    private static func closeBrace(
        _ bytes: [UInt8], after position: Int, to output: inout [UInt8], braces: inout [Brace]
    ) -> Int {
        let brace = braces.popLast() ?? .plain
        let isFollowed = position < bytes.count && bytes[position] == UInt8(ascii: "{")
        switch brace {
        case .plain:
            return position
        case .numerator:
            guard isFollowed else { return position }
            output.append(UInt8(ascii: "/"))
            braces.append(.plain)
            return position + 1
        case .compoundNumerator:
            output.append(UInt8(ascii: ")"))
            guard isFollowed else { return position }
            output.append(contentsOf: " / (".utf8)
            braces.append(.compoundDenominator)
            return position + 1
        case .compoundDenominator:
            output.append(UInt8(ascii: ")"))
            return position
        }
    }

    private static func mathSign(_ bytes: [UInt8], at position: Int) -> (byte: UInt8, length: Int)? {
        let signs: [(text: String, sign: UInt8)] = [
            ("×", UInt8(ascii: "*")), ("÷", UInt8(ascii: "/")), ("≈", UInt8(ascii: "=")), ("−", UInt8(ascii: "-")),
        ]
        for (text, sign) in signs where bytes[position...].starts(with: text.utf8) {
            return (sign, text.utf8.count)
        }
        return nil
    }
}
