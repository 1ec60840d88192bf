/// Python's `json.dumps`, as the filter `tojson` of transformers calls it.
struct TemplateJSONWriter {
    var isASCII = false
    var indentation: String?
    var itemSeparator: String
    var keySeparator = ": "
    var sortsKeys = false
    private(set) var text = ""

    init(indentation: String?) {
        self.indentation = indentation
        itemSeparator = indentation == nil ? ", " : ","
    }

    mutating func write(
        _ value: TemplateValue, depth: Int = 0, _ budget: inout TemplateBudget
    ) throws(TemplateFault) {
        try budget.charge()
        switch value {
        case .none: try budget.append("null", to: &text)
        case .boolean(let value): try budget.append(value ? "true" : "false", to: &text)
        case .integer(let value): try budget.append("\(value)", to: &text)
        case .real(let value): try budget.append(Self.literal(value), to: &text)
        case .string(let value): try budget.append(literal(value), to: &text)
        case .list(let elements), .tuple(let elements):
            guard !elements.values.isEmpty else { return try budget.append("[]", to: &text) }
            try budget.append("[", to: &text)
            for (index, element) in elements.values.enumerated() {
                try startItem(index, depth + 1, &budget)
                try write(element, depth: depth + 1, &budget)
            }
            try end(depth, "]", &budget)
        case .dictionary(let members): try write(members, depth, &budget)
        default: throw .refused("\(value.kind) has no JSON")
        }
    }

    private mutating func write(
        _ members: TemplateValue.Members, _ depth: Int, _ budget: inout TemplateBudget
    ) throws(TemplateFault) {
        guard !members.values.isEmpty else { return try budget.append("{}", to: &text) }
        var items = members.values.map { ($0.key.text, $0.value) }
        if sortsKeys {
            for (name, _) in items { try budget.charge(text: name) }
            items.sort { $0.0.unicodeScalars.lexicographicallyPrecedes($1.0.unicodeScalars) }
        }
        try budget.append("{", to: &text)
        for (index, (name, value)) in items.enumerated() {
            try startItem(index, depth + 1, &budget)
            try budget.append(literal(name), to: &text)
            try budget.append(keySeparator, to: &text)
            try write(value, depth: depth + 1, &budget)
        }
        try end(depth, "}", &budget)
    }

    private mutating func startItem(
        _ index: Int, _ depth: Int, _ budget: inout TemplateBudget
    ) throws(TemplateFault) {
        if index > 0 { try budget.append(itemSeparator, to: &text) }
        try startLine(depth, &budget)
    }

    private mutating func end(
        _ depth: Int, _ bracket: String, _ budget: inout TemplateBudget
    ) throws(TemplateFault) {
        try startLine(depth, &budget)
        try budget.append(bracket, to: &text)
    }

    private mutating func startLine(_ depth: Int, _ budget: inout TemplateBudget) throws(TemplateFault) {
        guard let indentation else { return }
        try budget.append("\n" + String(repeating: indentation, count: depth), to: &text)
    }

    private static func literal(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return PythonText.literal(value)
    }

    private func literal(_ string: String) -> String {
        var text = [UInt8(ascii: "\"")]
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\"".utf8
            case "\\": text += "\\\\".utf8
            case "\n": text += "\\n".utf8
            case "\r": text += "\\r".utf8
            case "\t": text += "\\t".utf8
            case "\u{8}": text += "\\b".utf8
            case "\u{c}": text += "\\f".utf8
            case "\u{0}"..."\u{1f}": text += Self.escape(UInt16(scalar.value)).utf8
            case " "..."~": text.append(UInt8(scalar.value))
            case _ where isASCII: for unit in UTF16.encode(scalar) ?? .init() { text += Self.escape(unit).utf8 }
            default: text += UTF8.encode(scalar) ?? .init()
            }
        }
        return String(decoding: text, as: UTF8.self) + "\""
    }

    private static func escape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
