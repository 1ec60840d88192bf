import Files

/// Conversations to token ids, by a tokenizer's own chat template.
///
///     let encoder = try ChatEncoder(tokenizer)
///     let prompt = try encoder.encode(messages: messages)
///
/// Ids are those of `apply_chat_template` of transformers. As there, a special token that is written out in a message
/// becomes that token.
public struct ChatEncoder: Sendable {
    private let tokenizer: Tokenizer
    private let template: ChatTemplate
    /// Of conversations with tools: `tool_use` in a list of named templates, as in transformers.
    private let toolTemplate: Result<ChatTemplate, ChatTemplateError>
    private let variables: [String: JSONValue]

    /// Nil where the tokenizer has no template. Throws `ChatTemplateError` where it has one that is not supported.
    public init?(_ tokenizer: Tokenizer) throws(ChatTemplateError) {
        guard let source = tokenizer.chatTemplate else { return nil }
        self.tokenizer = tokenizer
        template = try ChatTemplate(source)
        let plain = template
        // One that is not supported matters to conversations with tools alone.
        toolTemplate = Result { () throws(ChatTemplateError) in
            try tokenizer.toolTemplate.map { source throws(ChatTemplateError) in try ChatTemplate(source) } ?? plain
        }
        variables = tokenizer.specialTexts.mapValues { .string($0) }
    }

    /// The ids of a conversation that the model is to go on from.
    ///
    /// Throws `ChatTemplateError` where the template refuses the conversation, and what `Tokenizer.encode` throws.
    ///
    /// - Parameter others: What else the template is told, such as `enable_thinking`; before the special tokens of the same names.
    package func encode(
        messages: [JSONValue], tools: [JSONValue]? = nil, others: [String: JSONValue] = [:]
    ) throws -> [Int32] {
        let variables = variables.merging(others) { $1 }
        let text = try (tools == nil ? template : toolTemplate.get()).render(
            messages: messages, tools: tools, addGenerationPrompt: true, variables: variables)
        return try tokenizer.encode(text, addSpecialTokens: false, matchesAddedTokens: true)
    }

    /// The ids of one question of the user.
    ///
    /// Throws as `encode(messages:tools:others:)` does.
    public func encode(question: String) throws -> [Int32] {
        let members = [("role", "user"), ("content", question)]
        return try encode(
            messages: [.object(members.map { JSONValue.Member(name: $0, value: .string($1)) })])
    }
}
