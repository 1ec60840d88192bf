import ArgumentParser
import Generation
import Models
import Pipelines
import Tasks
import Training

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Completes prompts, in batches over all threads.",
        discussion: """
            The most probable token is taken each time, unless do_sample is true in the model's generation_config.json or one of \
            --temperature, --top-k and --top-p is given: then tokens are drawn. Of these three, that file gives the ones that \
            the command line does not; where neither gives a top-k it is 50, as in transformers.

            Rows in: {"id", "prompt"}, or {"id", "tokens"} taken as they are, or with --chat {"id", "messages"} and \
            perhaps "tools" and "chat_template_kwargs", an object such as {"enable_thinking": false}. Rows out, in the same order: {"id", "text", \
            "tokens", "logprobs", "finishReason"}, the prompt left out, a sampled end token included in the tokens. With \
            --samples above 1 a row gives one line a sample, in order, which says "sample" (from 0) as well. A log-probability \
            is of the whole vocabulary at the temperature, before top-k and top-p. What is sampled depends on the weights, the \
            seed, the row's id, how many rows before it have the same one, and the sample alone. Without --prompts there is one \
            row, id 0, of the beginning-of-sequence token alone.
            """)

    @Option(help: "A Hugging Face model directory.")
    var model: String

    @Option(help: "A file of JSON Lines.")
    var prompts: String?

    @Option(help: "Divides the logits; 0 takes the most probable token. (default: the model's, else 1)")
    var temperature: WrittenNumber?

    @Option(help: "Draws from that many most probable tokens; 0 from all. (default: the model's, else 50)")
    var topK: Int?

    @Option(
        help:
            "Draws from the smallest set of most probable tokens whose mass reaches it. (default: the model's, else 1)")
    var topP: WrittenNumber?

    @Option(help: "Where a completion is cut. (default: 256, or what the context has room for)")
    var maxNewTokens: Int?

    @Option(help: "Completions of each row; greedy ones are all the same.")
    var samples = 1

    @Option(help: "Of the random numbers.", transform: OptionRange.seed)
    var seed: UInt64 = 0

    @Option(
        help: """
            Completions that an engine runs at once. There is an engine for each thread that has a core, or fewer for few \
            completions or a large model.
            """)
    var batch = 32

    @Flag(help: "Puts each prompt into the model's chat template.")
    var chat = false

    @Flag(
        help: """
            Finds special tokens that are written out in a prompt, such as </s>; without it they are text like any other, which \
            nobody can forge.
            """)
    var special = false

    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        try OptionRange.check(["--samples": samples, "--batch": batch, "--max-new-tokens": maxNewTokens ?? 1])
        try OptionRange.check(temperature: temperature, topK: topK, topP: topP)
    }

    func run() async throws {
        try await Failure.reporting {
            let rows = try prompts.map { try JSONLinesFile.map(path: $0, GenerateRow.init) }
            let directory = try ModelDirectory(model, precision: compute.dtype, logger: Diagnostics.logger)
            let defaults = try SamplingDefaults(directory: model)
            let sampling = defaults.applying(
                SamplingDefaults.Options(temperature: temperature?.value, topK: topK, topP: topP?.value))
            let settings = GenerationPlan.Settings(
                sampling: sampling, samples: samples, maxNewTokens: maxNewTokens, seed: seed, isChat: chat,
                findsSpecialTokens: special)
            let plan =
                if let rows {
                    try GenerationPlan(rows: rows, model: directory, settings: settings)
                } else {
                    try GenerationPlan(beginningOf: directory, settings: settings)
                }
            try need(of: plan, directory).check()
            for name in defaults.ignored {
                Diagnostics.logger.warning("\(model)/generation_config.json: \(name) is not applied")
            }
            let executor = ComputeExecutor(threads: compute.threadCount)
            defer { executor.shutdown() }
            let generation = BatchGeneration(
                plan: plan,
                weights: try await executor.weights(of: directory.weights, positions: plan.longestSequence),
                tokenizer: directory.tokenizer, model: model, batchCapacity: batch)
            try await generation.run(on: executor, into: OrderedRows())
        }
    }

    func need(of plan: GenerationPlan, _ directory: ModelDirectory) -> MemoryNeed {
        let memory = ModelMemory(directory.configuration)
        let runningThreads = ProcessorCores.running(compute.threadCount)
        let engines = plan.engines(threads: runningThreads, directory.configuration)
        let capacity = plan.batchCapacity(engines: engines, atMost: batch)
        let longest = Double(plan.longestSequence)
        let running = plan.running(batch: engines * capacity)
        var need = directory.servingNeed(positions: plan.longestSequence, threads: compute.threadCount)
        let tokens = maxNewTokens.map { MemoryCause.option("--max-new-tokens", value: "\($0)") }
        let batches = MemoryCause.option("--batch", value: "\(batch)")
        need.add(
            Double(engines)
                * memory.generator(
                    batch: Double(capacity), longest: longest,
                    positions: Double(running.positions) / Double(engines),
                    promptTokens: (Double(running.promptTokens) / Double(engines)).rounded(.up),
                    logits: Double(running.logitRows(engines: engines)) / Double(engines),
                    threads: Generator.threadsSharing(
                        engines: engines, threads: compute.threadCount, running: runningThreads)),
            capacity > 1 ? batches : tokens ?? batches)
        need.add(
            Double(engines) * Double(samples) * longest * GenerationPlan.bytesPerToken,
            .option("--samples", value: "\(samples)"))
        if let prompts {
            let file = MemoryCause.option("--prompts", value: prompts)
            need.add(plan.byteCount, file)
            need.addReading(
                JSONLinesFile.readingByteCount(
                    path: prompts, rows: plan.requests.count, rowBytes: GenerationPlan.readingBytes), file)
        }
        return need
    }
}
