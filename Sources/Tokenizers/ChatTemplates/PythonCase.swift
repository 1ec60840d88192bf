/// `upper`, `lower` and `capitalize` of Python's strings.
enum PythonCase {
    static func upper(_ text: String, _ budget: inout TemplateBudget) throws(TemplateFault) -> String {
        try budget.charge(casingOf: text)
        return mapped(text.unicodeScalars, \.uppercaseMapping)
    }

    static func lower(_ text: String, _ budget: inout TemplateBudget) throws(TemplateFault) -> String {
        try budget.charge(casingOf: text)
        // Its lower case depends on whether a word ends there.
        guard !text.unicodeScalars.contains("\u{3a3}") else { throw .unsupported("the lower case of Σ") }
        return mapped(text.unicodeScalars, \.lowercaseMapping)
    }

    static func capitalized(_ text: String, _ budget: inout TemplateBudget) throws(TemplateFault) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.first else { return "" }
        return try first.properties.titlecaseMapping + lower(String(scalars.dropFirst()), &budget)
    }

    private static func mapped(
        _ scalars: String.UnicodeScalarView, _ mapping: KeyPath<Unicode.Scalar.Properties, String>
    ) -> String {
        var result = ""
        for scalar in scalars { result += scalar.properties[keyPath: mapping] }
        return result
    }
}
