extension TemplateRenderer {
    /// Python's `str`; nothing for what is undefined.
    mutating func text(of value: TemplateValue) throws(TemplateFault) -> String {
        switch value {
        case .undefined: return ""
        case .string(let text): return text
        default:
            var text = ""
            try write(value, to: &text)
            return text
        }
    }

    /// Appends Python's `repr`.
    private mutating func write(_ value: TemplateValue, to text: inout String) throws(TemplateFault) {
        try budget.charge()
        guard text.utf8.count <= TemplateBudget.longestText else {
            throw .excessive("makes a text of more than \(TemplateBudget.longestText) bytes")
        }
        switch value {
        case .none: text += "None"
        case .boolean(let value): text += value ? "True" : "False"
        case .integer(let value): text += "\(value)"
        case .real(let value): text += PythonText.literal(value)
        case .string(let value):
            try budget.charge(text: value)
            text += PythonText.literal(value)
        case .list(let elements): try write("[", elements.values, "]", to: &text)
        case .tuple(let elements):
            try write("(", elements.values, elements.values.count == 1 ? ",)" : ")", to: &text)
        case .dictionary(let members):
            text += "{"
            for (index, (name, value)) in members.values.enumerated() {
                text += (index == 0 ? "" : ", ") + PythonText.literal(name.text) + ": "
                try write(value, to: &text)
            }
            text += "}"
        case .undefined: text += "Undefined"
        default: throw .unsupported("the text of \(value.kind)")
        }
    }

    private mutating func write(
        _ open: String, _ values: [TemplateValue], _ close: String, to text: inout String
    ) throws(TemplateFault) {
        text += open
        for (index, value) in values.enumerated() {
            if index > 0 { text += ", " }
            try write(value, to: &text)
        }
        text += close
    }
}
