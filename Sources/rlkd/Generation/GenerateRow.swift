import Files
import Tasks
import Trajectories

/// One row in for `rlkd generate`: `{"id", "prompt"}`, `{"id", "tokens"}` or `{"id", "messages"}`.
struct GenerateRow {
    enum Prompt: Equatable {
        case text(String)
        /// Taken as they are, without a beginning-of-sequence token.
        case tokens([Int32])
        /// A conversation, with the schemas of the tools that the model may call and what else the chat template is told.
        case messages([JSONValue], tools: [JSONValue]?, variables: [String: JSONValue])
    }

    var id: RowIdentifier
    var prompt: Prompt
    /// Where it stands, for errors that are found later.
    var fields: JSONRow

    /// - Throws: `MalformedInput`.
    init(_ fields: JSONRow) throws(MalformedInput) {
        self.fields = fields.place
        id = try fields.identifier()
        switch (try fields.string("prompt"), try fields.tokens("tokens"), try fields.list("messages")) {
        case (let text?, nil, nil): prompt = .text(text)
        case (nil, let tokens?, nil): prompt = .tokens(tokens)
        case (nil, nil, let messages?):
            prompt = .messages(
                messages, tools: try fields.list("tools"), variables: try fields.members("chat_template_kwargs") ?? [:])
        case (nil, nil, nil): throw fields.failure("prompt", "is missing, and so is “tokens”: a row needs one of them")
        case (_?, _?, _): throw fields.failure("tokens", "stands beside “prompt”: a row takes one of them")
        case (_, _, _?): throw fields.failure("messages", "stands beside another prompt: a row takes one of them")
        }
    }

    /// The name of the field that holds the prompt.
    var promptField: String {
        switch prompt {
        case .text: "prompt"
        case .tokens: "tokens"
        case .messages: "messages"
        }
    }
}

/// One row out of `rlkd generate`, the prompt left out.
struct CompletionRow: Encodable, Sendable {
    var id: RowIdentifier
    /// Which of the row's samples it is; left out where there is one only.
    var sample: Int?
    /// Without special tokens; null where the model has no tokenizer.
    var text: String?
    /// An end-of-sequence token that was sampled is one of them.
    var tokens: [Int32]
    var logprobs: [Float]
    var finishReason: FinishReason

    private enum CodingKeys: String, CodingKey {
        case id, sample, text, tokens, logprobs, finishReason
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encodeIfPresent(sample, forKey: .sample)
        try container.encode(text, forKey: .text)
        try container.encode(tokens, forKey: .tokens)
        try container.encode(logprobs, forKey: .logprobs)
        try container.encode(finishReason, forKey: .finishReason)
    }
}
