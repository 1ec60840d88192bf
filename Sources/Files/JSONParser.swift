/// Recursive descent over UTF-8 (RFC 8259), strict: no comments, no trailing commas, no duplicate names.
struct JSONParser {
    /// Deep enough for any real file, shallow enough for the stack of any thread.
    static let deepestNesting = 100

    let bytes: UnsafeRawBufferPointer
    let file: String
    /// Values that may still come.
    var valuesLeft: Int
    var position = 0

    mutating func parseDocument() throws -> JSONValue {
        let value = try parseValue(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw failure("text after the end of the value") }
        return value
    }

    private func failure(_ reason: String) -> FormatError {
        let line = 1 + bytes.prefix(position).count { $0 == UInt8(ascii: "\n") }
        return FormatError(file: file, field: "line \(line), byte \(position)", reason: "not JSON: \(reason)")
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws {
        guard take(byte) else { throw failure("expected '\(Character(Unicode.Scalar(byte)))'") }
    }

    private mutating func take(word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard bytes.count - position >= length else { return false }
        for index in 0..<length where bytes[position + index] != word.utf8Start[index] {
            return false
        }
        position += length
        return true
    }

    private mutating func parseValue(depth: Int) throws -> JSONValue {
        guard depth < Self.deepestNesting else { throw failure("nested deeper than \(Self.deepestNesting)") }
        guard valuesLeft > 0 else { throw failure("more values than a file of its kind has") }
        valuesLeft -= 1
        skipSpace()
        guard position < bytes.count else { throw failure("the text ends too early") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try parseObject(depth: depth)
        case UInt8(ascii: "["): return try parseArray(depth: depth)
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t") where take(word: "true"): return .boolean(true)
        case UInt8(ascii: "f") where take(word: "false"): return .boolean(false)
        case UInt8(ascii: "n") where take(word: "null"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default: throw failure("expected a value")
        }
    }

    private mutating func parseObject(depth: Int) throws -> JSONValue {
        position += 1
        var members: [JSONValue.Member] = []
        var names: Set<ExactString> = []
        if take(UInt8(ascii: "}")) { return .object([]) }
        repeat {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw failure("expected a name")
            }
            let name = try parseString()
            guard names.insert(ExactString(name)).inserted else { throw failure("the name \"\(name)\" occurs twice") }
            try expect(UInt8(ascii: ":"))
            members.append(JSONValue.Member(name: name, value: try parseValue(depth: depth + 1)))
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
        return .object(members)
    }

    private mutating func parseArray(depth: Int) throws -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .array([]) }
        repeat {
            elements.append(try parseValue(depth: depth + 1))
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
        return .array(elements)
    }

    private mutating func parseNumber() throws -> JSONValue {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let whole = takeDigits()
        let leadsWithZero = whole > 1 && bytes[position - whole] == UInt8(ascii: "0")
        guard whole > 0, !leadsWithZero else { throw failure("a malformed number") }
        var isInteger = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard takeDigits() > 0 else { throw failure("a malformed number") }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard takeDigits() > 0 else { throw failure("a malformed number") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw failure("a number out of range") }
        return .real(value)
    }

    private mutating func takeDigits() -> Int {
        let start = position
        while position < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[position] {
            position += 1
        }
        return position - start
    }

    private mutating func parseString() throws -> String {
        position += 1
        let start = position
        while position < bytes.count, bytes[position] >= 0x20, bytes[position] != UInt8(ascii: "\""),
            bytes[position] != UInt8(ascii: "\\")
        {
            position += 1
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
            let text = try validated(bytes[start..<position])
            position += 1
            return text
        }
        return try parseEscapedString(prefix: Array(bytes[start..<position]))
    }

    private mutating func parseEscapedString(prefix: [UInt8]) throws -> String {
        var text = prefix
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                let result = try validated(text)
                position += 1
                return result
            case UInt8(ascii: "\\"):
                position += 1
                try parseEscape(into: &text)
            case 0..<0x20: throw failure("a control character within a string")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw failure("a string without its end")
    }

    private mutating func parseEscape(into text: inout [UInt8]) throws {
        guard position < bytes.count else { throw failure("a string without its end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += UTF8.encode(try parseEscapedScalar()).map(Array.init) ?? []
        default: throw failure("an unknown escape")
        }
    }

    private mutating func parseEscapedScalar() throws -> Unicode.Scalar {
        let first = try parseFourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xdc00, take(word: "\\u") else { throw failure("half of a surrogate pair") }
        let second = try parseFourDigits()
        guard 0xdc00...0xdfff ~= second,
            let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { throw failure("half of a surrogate pair") }
        return scalar
    }

    private mutating func parseFourDigits() throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue,
                bytes[position] < 0x80
            else { throw failure("expected four hexadecimal digits") }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private func validated(_ text: some Sequence<UInt8>) throws -> String {
        guard let string = String(validating: text, as: UTF8.self) else { throw failure("a string that is not UTF-8") }
        return string
    }
}
