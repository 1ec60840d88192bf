/// What is wrong with a chat template, or with a conversation that it does not accept, and where in the template.
public struct ChatTemplateError: Error, Hashable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Not Jinja.
        case syntax
        /// Jinja that this renderer does not have.
        case unsupported
        /// The template cannot do with this conversation what it says, or says `raise_exception`.
        case refused
        /// More work or output than any conversation needs.
        case excessive
    }

    public var kind: Kind
    /// From 1.
    public var line: Int
    /// In Unicode scalars, from 1.
    public var column: Int
    public var reason: String

    public var description: String {
        "the chat template's line \(line), column \(column): \(reason)"
    }
}

/// A place in a template.
struct TemplatePosition: Hashable, Sendable {
    var line: Int
    var column: Int

    func error(_ kind: ChatTemplateError.Kind, _ reason: String) -> ChatTemplateError {
        ChatTemplateError(kind: kind, line: line, column: column, reason: reason)
    }

    func unsupported(_ what: String) -> ChatTemplateError {
        error(.unsupported, "\(what) is not supported")
    }
}
