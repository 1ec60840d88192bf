import Files
import Generation
import Models
import Tasks
import Tokenizers
import Training
import Trajectories

/// All requests of one `rlkd generate`, checked before the first token is computed.
struct GenerationPlan: Sendable {
    /// What the command line says of every row.
    struct Settings: Sendable {
        var sampling: SamplingParameters
        var samples: Int
        /// Nil takes `defaultNewTokens`, or as many as the model's context has room for.
        var maxNewTokens: Int?
        var seed: UInt64
        /// Puts prompts into the model's chat template.
        var isChat = false
        /// Finds special tokens that are written out in prompts.
        var findsSpecialTokens = false
    }

    static let defaultNewTokens = 256
    /// Of a completion that waits for the other samples of its row, then as text: about.
    static let bytesPerToken = 96.0

    private(set) var identifiers: [RowIdentifier] = []
    private(set) var requests: [GenerationRequest] = []

    /// Positions of the longest prompt with its completion.
    var longestSequence: Int { requests.map { $0.prompt.count + $0.maxNewTokens }.max() ?? 1 }

    /// So many completions that run at once and their prompts.
    func running(batch: Int) -> RunningSequences {
        RunningSequences(
            requests.map {
                RunningSequences.Request(
                    prompt: $0.prompt.count, newTokens: $0.maxNewTokens, samples: $0.sampleCount)
            }, batch: batch)
    }

    /// In memory, about.
    var byteCount: Double {
        let row = MemoryLayout<GenerationRequest>.stride + MemoryLayout<RowIdentifier>.stride
        return requests.reduce(0) {
            $0 + Double(row + MemoryLayout<Int32>.stride * $1.prompt.count) + MemoryNeed.arrayBytes
        }
    }

    /// Of a row while it is read, beside its texts: itself in an array that grows, its request, and the text or tokens of each.
    static let readingBytes =
        MemoryNeed.growing * Double(MemoryLayout<GenerateRow>.stride)
        + Double(MemoryLayout<GenerationRequest>.stride + MemoryLayout<RowIdentifier>.stride)
        + 2 * MemoryNeed.arrayBytes

    /// Completions of all requests together.
    var completionCount: Int { requests.reduce(0) { $0 + $1.sampleCount } }

    /// Engines that the requests are divided among.
    func engines(threads: Int, _ configuration: ModelConfiguration) -> Int {
        Generator.engines(
            threads: threads, completions: completionCount, requests: requests.count, configuration: configuration)
    }

    /// Completions that an engine runs at once: an even share of all, at most so many.
    func batchCapacity(engines: Int, atMost limit: Int) -> Int {
        max(1, min(limit, (completionCount + engines - 1) / engines))
    }

    /// A plan for rows; a row's random numbers depend on the seed, its id, how often that id came before, and the sample.
    ///
    /// - Throws: `MalformedInput` naming file, line and field of a row that the model cannot serve.
    init(rows: [GenerateRow], model: ModelDirectory, settings: Settings) throws {
        var visits: [String: Int] = [:]
        let chat = settings.isChat ? try Self.chatEncoder(of: model) : nil
        requests.reserveCapacity(rows.count)
        identifiers.reserveCapacity(rows.count)
        for row in rows {
            let prompt = try Self.prompt(of: row, model, chat, settings)
            let room = model.configuration.maxPositions - prompt.count
            let wanted = settings.maxNewTokens ?? max(1, min(Self.defaultNewTokens, room))
            guard wanted <= room else {
                throw row.fields.failure(
                    row.promptField,
                    "is too long: \(prompt.count) tokens and \(wanted) new ones exceed the model's context of "
                        + "\(model.configuration.maxPositions)")
            }
            append(
                row.id, prompt: prompt, maxNewTokens: wanted, visit: visits[row.id.description, default: 0],
                model, settings)
            visits[row.id.description, default: 0] += 1
        }
    }

    /// A plan for one completion of the beginning-of-sequence token alone.
    ///
    /// - Throws: `FormatError` where the model has no such token, `MalformedInput` where the completion does not fit.
    init(beginningOf model: ModelDirectory, settings: Settings) throws {
        guard let beginning = model.beginning else {
            throw FormatError(
                file: model.path + "/tokenizer_config.json", field: "bos_token",
                reason: "is missing, so there is nothing to start from: give --prompts")
        }
        let room = model.configuration.maxPositions - 1
        let wanted = settings.maxNewTokens ?? max(1, min(Self.defaultNewTokens, room))
        guard wanted <= room else {
            throw MalformedInput(
                file: model.path, field: "max_position_embeddings",
                problem: "is \(room + 1): the beginning-of-sequence token and \(wanted) new ones exceed it")
        }
        append(.number(0), prompt: [beginning], maxNewTokens: wanted, visit: 0, model, settings)
    }

    private mutating func append(
        _ id: RowIdentifier, prompt: [Int32], maxNewTokens: Int, visit: Int, _ model: ModelDirectory,
        _ settings: Settings
    ) {
        let name = Problem(id: id.description, question: "", answer: nil)
        requests.append(
            GenerationRequest(
                identifier: requests.count, prompt: prompt, sampleCount: settings.samples, maxNewTokens: maxNewTokens,
                sampling: settings.sampling, endTokens: model.endTokens, seed: settings.seed, problemKey: name.key,
                visit: visit))
        identifiers.append(id)
    }

    /// - Throws: `FormatError` where the model has no chat template, or one that is not supported.
    private static func chatEncoder(of model: ModelDirectory) throws -> ChatEncoder {
        func failure(_ reason: String) -> FormatError {
            FormatError(file: model.path + "/tokenizer_config.json", field: "chat_template", reason: reason)
        }
        do {
            guard let tokenizer = model.tokenizer else { throw failure("needs a tokenizer in \(model.path)") }
            guard let encoder = try ChatEncoder(tokenizer) else {
                throw failure("is missing, so that --chat has no template")
            }
            return encoder
        } catch let error as ChatTemplateError {
            throw failure(error.description)
        }
    }

    private static func prompt(
        of row: GenerateRow, _ model: ModelDirectory, _ chat: ChatEncoder?, _ settings: Settings
    ) throws -> [Int32] {
        let tokens: [Int32]
        switch row.prompt {
        case .messages(let messages, let tools, let variables):
            guard let chat else { throw row.fields.failure("messages", "needs --chat") }
            tokens = try encoded(row) { try chat.encode(messages: messages, tools: tools, others: variables) }
        case .text(let text) where chat != nil:
            tokens = try encoded(row) { try chat?.encode(question: text) ?? [] }
        case .tokens(let given):
            tokens = given
        case .text(let text):
            guard let tokenizer = model.tokenizer else {
                throw row.fields.failure("prompt", "needs a tokenizer in \(model.path); rows of “tokens” do not")
            }
            let beginning = tokenizer.addsBeginning ? tokenizer.beginning.map { [$0] } ?? [] : []
            tokens =
                try beginning
                + encoded(row) {
                    try tokenizer.encode(
                        text, addSpecialTokens: false, matchesAddedTokens: settings.findsSpecialTokens)
                }
        }
        guard !tokens.isEmpty else {
            throw row.fields.failure(row.promptField, "is empty: there is no token to go on from")
        }
        try row.fields.check(tokens, vocabularySize: model.configuration.vocabularySize, field: row.promptField)
        return tokens
    }

    private static func encoded(_ row: GenerateRow, _ body: () throws -> [Int32]) throws -> [Int32] {
        do {
            return try body()
        } catch let error as TokenizerError {
            throw row.fields.failure(row.promptField, error.description)
        } catch let error as ChatTemplateError {
            throw row.fields.failure(row.promptField, error.description)
        }
    }
}
