import Files

/// A chat template: Jinja that turns a conversation into the text that a model was trained on, as transformers renders
/// it.
///
///     let template = try ChatTemplate(tokenizer.chatTemplate)
///     let text = try template.render(messages: messages, addGenerationPrompt: true)
///
/// Of Jinja there is what chat templates use: `if`, `for`, `set`, `macro`, namespaces, the common filters, tests and
/// methods. Anything else is refused by name, with its line and column, on reading where it can be seen then. Templates
/// come with a model from anywhere, so what one may cost is bounded.
public struct ChatTemplate: Sendable {
    private let body: [TemplateStatement]

    /// UTF-8 bytes of a template; the largest in use have some tens of thousands.
    private static let longestSource = 1 << 20

    /// Throws `ChatTemplateError`.
    public init(_ source: String) throws(ChatTemplateError) {
        guard source.utf8.count <= Self.longestSource else {
            throw TemplatePosition(line: 1, column: 1)
                .error(
                    .excessive, "a template of \(source.utf8.count) bytes; at most \(Self.longestSource) can be right")
        }
        body = try TemplateParser.parse(source)
    }

    /// The text of a conversation.
    ///
    /// - Parameters:
    ///   - messages: Objects with `role`, `content` and what else the template reads. As in transformers, members that
    ///     are null are left out, and `thinking` or `reasoning` stands for an absent `reasoning_content`.
    ///   - tools: JSON schemas of functions.
    ///   - addGenerationPrompt: Ends with the beginning of an answer.
    ///   - variables: What else the template sees, such as `bos_token` and `enable_thinking`.
    ///
    /// Throws `ChatTemplateError`.
    package func render(
        messages: [JSONValue], tools: [JSONValue]? = nil, addGenerationPrompt: Bool,
        variables: [String: JSONValue] = [:]
    ) throws(ChatTemplateError) -> String {
        let start = TemplatePosition(line: 1, column: 1)
        var values: [String: TemplateValue] = [:]
        do throws(TemplateFault) {
            for (name, value) in variables { values[name] = try TemplateValue(value) }
            values["messages"] = try TemplateValue(.array(messages.map(Self.message)))
            values["tools"] = try TemplateValue(tools.map { .array($0) } ?? .null)
        } catch {
            throw error.at(start)
        }
        values["documents"] = TemplateValue.none
        values["add_generation_prompt"] = .boolean(addGenerationPrompt)
        return try TemplateRenderer.render(body, values)
    }

    /// The names that a message's reasoning is passed under; templates read the first.
    private static let reasoningNames = ["reasoning_content", "thinking", "reasoning"]

    private static func message(_ message: JSONValue) -> JSONValue {
        guard case .object(let members) = message else { return message }
        let present = members.filter { if case .null = $0.value { false } else { true } }
        let named = JSONValue.object(present)
        guard let reasoning = reasoningNames.lazy.compactMap({ named[$0] }).first else { return named }
        let thinking = JSONValue.Member(name: "thinking", value: named["thinking"] ?? reasoning)
        let content = JSONValue.Member(name: "reasoning_content", value: reasoning)
        var aliased = [thinking]
        for member in present where member.name != thinking.name {
            aliased.append(member.name == content.name ? content : member)
        }
        if named[content.name] == nil { aliased.append(content) }
        return .object(aliased)
    }
}
