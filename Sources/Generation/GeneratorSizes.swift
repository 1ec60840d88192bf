import Models

/// What a generator makes room for.
struct GeneratorSizes {
    /// Completions at once.
    let batch: Int
    /// Of the longest sequence served.
    let positions: Int
    /// Of a step, and those whose logits are wanted: every completion's, and as many prompts' last ones.
    let rows: Int
    let logits: Int
    /// Of keys and values, of which a sequence takes whole ones; two of the longest sequences always have room.
    let pages: Int

    /// - Parameters:
    ///   - context: positions that the model has room for.
    ///   - longest: positions of the longest sequence served; the context by default, and never more.
    ///   - positions: of all sequences together; by default the pages of one longest sequence a completion and one more, so that
    ///     they keep no completion from running.
    init(context: Int, batch: Int, longest: Int?, prefillRows: Int? = nil, positions: Int?) {
        self.batch = max(1, batch)
        self.positions = min(context, max(1, longest ?? context))
        rows = self.batch + max(1, prefillRows ?? Generator.usualPrefillRows)
        logits = 2 * self.batch
        let longest = KeyValuePages.pages(positions: self.positions)
        pages = max(2 * longest, positions.map { KeyValuePages.pages(positions: $0) } ?? (self.batch + 1) * longest)
    }
}

extension Generator {
    /// Prompt tokens of a step at most, beside the completions' rows, where no other number is given.
    public static let usualPrefillRows = 256

    /// About what a generator takes in memory, in bytes, with its sequences' prompts and tables.
    ///
    /// - Parameters:
    ///   - batch: completions at once.
    ///   - longest: positions of the longest prompt with its completion.
    ///   - positions: that all sequences together reach; pages beyond them are never touched and take nothing. All pages by default.
    ///   - promptTokens: of all prompts together; a step never has more rows of prompts. As many as a step has room for by default.
    ///   - logits: rows of logits that a step ever writes; all that there is room for by default.
    ///   - threads: that may share a step.
    public static func byteCount(
        _ configuration: ModelConfiguration, batch: Int, longest: Int, positions: Int? = nil, promptTokens: Int? = nil,
        logits: Int? = nil, threads: Int = 1
    ) -> Int {
        var configuration = configuration
        let sizes = GeneratorSizes(
            context: configuration.maxPositions, batch: batch, longest: longest,
            prefillRows: promptTokens.map { min($0, usualPrefillRows) }, positions: nil)
        configuration.maxPositions = sizes.positions
        let reached = positions.map { KeyValuePages.pages(positions: $0) } ?? sizes.pages
        let inference = DecoderInference.memory(
            configuration: configuration, rowCapacity: sizes.rows,
            logitCapacity: min(logits ?? sizes.logits, sizes.logits), pageCapacity: min(reached, sizes.pages),
            places: threads)
        // A sampler has probabilities and candidates.
        let distributions = 2 * threads * configuration.vocabularySize
        // An address and a number for every page of every completion and of a prompt.
        let tables = (sizes.batch + 1) * KeyValuePages.pages(positions: sizes.positions) * 12
        return inference.reduce(0) { $0 + $1.byteCount } + 4 * distributions + tables
    }
}
