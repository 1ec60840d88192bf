import Files
import Tasks

/// What commands read from rows.
extension JSONRow {
    /// The row's name, a string or a whole number.
    func identifier() throws(MalformedInput) -> RowIdentifier {
        switch self["id"] {
        case .string(let text): return .text(text)
        case .integer(let number): return .number(number)
        case .null: throw failure("id", "is missing")
        default: throw failure("id", "is \(self["id"].kind), neither a string nor a whole number")
        }
    }

    /// Nil where the field is absent or null.
    func boolean(_ name: String) throws(MalformedInput) -> Bool? {
        switch self[name] {
        case .null: return nil
        case .boolean(let flag): return flag
        default: throw failure(name, "is \(self[name].kind), neither true nor false")
        }
    }

    /// Nil where the field is absent or null.
    func list(_ name: String) throws(MalformedInput) -> [JSONValue]? {
        switch self[name] {
        case .null: return nil
        case .array(let elements): return elements
        default: throw failure(name, "is \(self[name].kind), not a list")
        }
    }

    /// The members of an object, of those with one name the last; nil where the field is absent or null.
    func members(_ name: String) throws(MalformedInput) -> [String: JSONValue]? {
        switch self[name] {
        case .null: return nil
        case .object(let members): return Dictionary(members.map { ($0.name, $0.value) }) { $1 }
        default: throw failure(name, "is \(self[name].kind), not an object")
        }
    }

    /// A list of token ids that fit 32 bits; nil where the field is absent or null.
    func tokens(_ name: String) throws(MalformedInput) -> [Int32]? {
        switch self[name] {
        case .null: return nil
        case .array(let elements):
            var tokens: [Int32] = []
            tokens.reserveCapacity(elements.count)
            for (index, element) in elements.enumerated() {
                guard case .integer(let number) = element, let token = Int32(exactly: number) else {
                    throw failure("\(name)[\(index)]", "is \(element.kind), not a token id")
                }
                tokens.append(token)
            }
            return tokens
        default: throw failure(name, "is \(self[name].kind), not a list of token ids")
        }
    }

    /// Throws for a token outside the vocabulary.
    func check(_ tokens: [Int32], vocabularySize: Int, field: String) throws(MalformedInput) {
        guard let index = tokens.firstIndex(where: { $0 < 0 || Int($0) >= vocabularySize }) else { return }
        throw failure(
            "\(field)[\(index)]", "is \(tokens[index]), outside the model's vocabulary of \(vocabularySize)")
    }
}
