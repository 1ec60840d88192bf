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
        switch value {
        case .none: try budget.append("None", to: &text)
        case .boolean(let value): try budget.append(value ? "True" : "False", to: &text)
        case .integer(let value): try budget.append("\(value)", to: &text)
        case .real(let value): try budget.append(PythonText.literal(value), to: &text)
        case .string(let value): try budget.append(PythonText.literal(value), to: &text)
        case .list(let elements): try write("[", elements.values, "]", to: &text)
        case .tuple(let elements):
            try write("(", elements.values, elements.values.count == 1 ? ",)" : ")", to: &text)
        case .dictionary(let members):
            try budget.append("{", to: &text)
            for (index, (name, value)) in members.values.enumerated() {
                if index > 0 { try budget.append(", ", to: &text) }
                try budget.append(PythonText.literal(name.text), to: &text)
                try budget.append(": ", to: &text)
                try write(value, to: &text)
            }
            try budget.append("}", to: &text)
        case .undefined: try budget.append("Undefined", to: &text)
        default: throw .unsupported("the text of \(value.kind)")
        }
    }

    private mutating func write(
        _ open: String, _ values: [TemplateValue], _ close: String, to text: inout String
    ) throws(TemplateFault) {
        try budget.append(open, to: &text)
        for (index, value) in values.enumerated() {
            if index > 0 { try budget.append(", ", to: &text) }
            try write(value, to: &text)
        }
        try budget.append(close, to: &text)
    }
}
