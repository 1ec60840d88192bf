/// A value within a JSON file with its path, so that what is wrong can be named.
package struct JSONField {
    package let file: String
    package let path: String
    package let value: JSONValue

    package init(file: String, path: String = "", value: JSONValue) {
        self.file = file
        self.path = path
        self.value = value
    }

    package func failure(_ reason: String) -> FormatError {
        FormatError(file: file, field: path, reason: reason)
    }

    /// The member of that name; null where there is none.
    package subscript(name: String) -> JSONField {
        JSONField(file: file, path: path.isEmpty ? name : "\(path).\(name)", value: value[name] ?? .null)
    }

    package var isNull: Bool {
        if case .null = value { true } else { false }
    }

    /// Null, or a list or an object without members.
    package var isEmpty: Bool {
        switch value {
        case .null: true
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }

    package func string() throws -> String {
        guard case .string(let text) = value else { throw failure("expected a string, found \(value.kind)") }
        return text
    }

    package func integer() throws -> Int {
        guard case .integer(let number) = value else { throw expectedInteger() }
        return number
    }

    package func number() throws -> Double {
        switch value {
        case .integer(let number): return Double(number)
        case .real(let number): return number
        default: throw failure("expected a number, found \(value.kind)")
        }
    }

    package func expectedInteger() -> FormatError {
        failure("expected an integer, found \(value.kind)")
    }

    /// `fallback` where the field is absent or null.
    package func boolean(or fallback: Bool) throws -> Bool {
        switch value {
        case .null: return fallback
        case .boolean(let flag): return flag
        default: throw failure("expected true or false, found \(value.kind)")
        }
    }

    package func elements() throws -> [JSONField] {
        guard case .array(let elements) = value else { throw failure("expected a list, found \(value.kind)") }
        return elements.enumerated().map { JSONField(file: file, path: "\(path)[\($0)]", value: $1) }
    }

    package func members() throws -> [(name: String, field: JSONField)] {
        guard case .object(let members) = value else { throw failure("expected an object, found \(value.kind)") }
        return members.map { ($0.name, JSONField(file: file, path: "\(path).\($0.name)", value: $0.value)) }
    }
}
