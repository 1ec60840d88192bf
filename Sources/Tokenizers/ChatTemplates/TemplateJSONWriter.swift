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
        guard text.utf8.count <= TemplateBudget.longestText else {
            throw .excessive("makes a text of more than \(TemplateBudget.longestText) bytes")
        }
        switch value {
        case .none: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .integer(let value): text += "\(value)"
        case .real(let value):
            text +=
                value.isNaN
                ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : PythonText.literal(value)
        case .string(let value):
            try budget.charge(text: value)
            write(value)
        case .list(let elements), .tuple(let elements):
            guard !elements.values.isEmpty else {
                text += "[]"
                return
            }
            text += "["
            for (index, element) in elements.values.enumerated() {
                startItem(index, depth + 1)
                try write(element, depth: depth + 1, &budget)
            }
            end(depth, "]")
        case .dictionary(let members): try write(members, depth, &budget)
        default: throw .refused("\(value.kind) has no JSON")
        }
    }

    private mutating func write(
        _ members: TemplateValue.Members, _ depth: Int, _ budget: inout TemplateBudget
    ) throws(TemplateFault) {
        guard !members.values.isEmpty else {
            text += "{}"
            return
        }
        var items = members.values.map { ($0.key.text, $0.value) }
        if sortsKeys { items.sort { $0.0.unicodeScalars.lexicographicallyPrecedes($1.0.unicodeScalars) } }
        text += "{"
        for (index, (name, value)) in items.enumerated() {
            startItem(index, depth + 1)
            write(name)
            text += keySeparator
            try write(value, depth: depth + 1, &budget)
        }
        end(depth, "}")
    }

    private mutating func startItem(_ index: Int, _ depth: Int) {
        if index > 0 { text += itemSeparator }
        if let indentation { text += "\n" + String(repeating: indentation, count: depth) }
    }

    private mutating func end(_ depth: Int, _ bracket: String) {
        if let indentation { text += "\n" + String(repeating: indentation, count: depth) }
        text += bracket
    }

    private mutating func write(_ string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{8}": text += "\\b"
            case "\u{c}": text += "\\f"
            case "\u{0}"..."\u{1f}": escape(UInt16(scalar.value))
            case _ where isASCII && scalar.value > 0x7e: for unit in UTF16.encode(scalar) ?? .init() { escape(unit) }
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    private mutating func escape(_ unit: UInt16) {
        let digits = String(unit, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
