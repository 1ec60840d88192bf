/// A JSON text as it stands: members in order, names compared by their UTF-8, numbers not rounded.
///
/// Foundation's readers put members into dictionaries of `String`, which merge canonically equivalent names and hide
/// duplicates; vocabularies and safetensors headers must have neither.
package enum JSONValue: Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    case real(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Sendable {
        package let name: String
        package let value: JSONValue

        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// Values of a model's or a tokenizer's file: twice as many as a vocabulary of a million tokens has with all its merges.
    static let mostInFile = 1 << 23

    /// Parses UTF-8. Throws `FormatError` naming `file` and the line.
    ///
    /// - Parameter valueLimit: values at most, those within lists and objects included: a value takes far more memory than the
    ///   two bytes that it may have in the text.
    package init(parsing bytes: UnsafeRawBufferPointer, file: String, valueLimit: Int = .max) throws {
        var parser = JSONParser(bytes: bytes, file: file, valuesLeft: valueLimit)
        self = try parser.parseDocument()
    }

    /// The member of that name; nil where this is no object, or has none.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// What it is, for error messages.
    package var kind: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "the number \(value)"
        case .real(let value): "the number \(value)"
        case .string(let value): "the string \"\(value.prefix(40))\""
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// A JSON string literal, quotes included.
    package static func literal(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..."\u{1f}", "\u{7f}":
                let hexadecimal = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
