extension JSONValue {
    /// Itself as indented JSON, members in their order.
    package var text: String { text(indentation: "") }

    private func text(indentation: String) -> String {
        let inner = indentation + "  "
        func lines(_ parts: [String], _ opening: String, _ closing: String) -> String {
            guard !parts.isEmpty else { return opening + closing }
            return "\(opening)\n\(inner)\(parts.joined(separator: ",\n" + inner))\n\(indentation)\(closing)"
        }
        switch self {
        case .null: return "null"
        case .boolean(let value): return "\(value)"
        case .integer(let value): return "\(value)"
        case .real(let value): return "\(value)"
        case .string(let value): return Self.literal(value)
        case .array(let elements): return lines(elements.map { $0.text(indentation: inner) }, "[", "]")
        case .object(let members):
            return lines(
                members.map { "\(Self.literal($0.name)): \($0.value.text(indentation: inner))" }, "{", "}")
        }
    }
}
