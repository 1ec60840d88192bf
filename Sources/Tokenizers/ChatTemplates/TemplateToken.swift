/// What a template is made of.
struct TemplateToken: Sendable {
    enum Kind: Hashable, Sendable {
        /// Text outside of tags, as it is to be written.
        case text(String)
        /// `{%` and `%}`
        case statementBegin, statementEnd
        /// `{{` and `}}`
        case outputBegin, outputEnd
        case name(String)
        case string(String)
        case integer(Int)
        case real(Double)
        case symbol(String)
        case end
    }

    let kind: Kind
    let position: TemplatePosition

    /// For messages.
    var text: String {
        switch kind {
        case .text: "text"
        case .statementBegin: "{%"
        case .statementEnd: "%}"
        case .outputBegin: "{{"
        case .outputEnd: "}}"
        case .name(let name): name
        case .string: "a string"
        case .integer(let value): "\(value)"
        case .real(let value): "\(value)"
        case .symbol(let symbol): symbol
        case .end: "the end of the template"
        }
    }
}
