import Files

/// Comparing two texts puts the marks of each character in order, in time that grows with the square of their number.
enum CombiningMarks {
    /// Marks of one character at most; a text that is safe to stream, as Unicode has it, has 30.
    static let most = 256

    /// Whether a text within a value has more in a row.
    static func areTooMany(in value: JSONValue) -> Bool {
        switch value {
        case .string(let text): areTooMany(in: text)
        case .array(let elements): elements.contains { areTooMany(in: $0) }
        case .object(let members): members.contains { areTooMany(in: $0.value) }
        case .null, .boolean, .integer, .real: false
        }
    }

    private static func areTooMany(in text: String) -> Bool {
        guard text.utf8.contains(where: { $0 >= 0x80 }) else { return false }
        var count = 0
        for scalar in text.unicodeScalars {
            count = isMark(scalar) ? count + 1 : 0
            if count > most { return true }
        }
        return false
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case ..<0x300: false
        // Of no order themselves, but each stands for two that have one.
        case 0xf73, 0xf75, 0xf81: true
        default: scalar.properties.canonicalCombiningClass != .notReordered
        }
    }
}
