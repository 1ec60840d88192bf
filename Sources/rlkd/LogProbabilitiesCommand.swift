import ArgumentParser
import Models
import Pipelines

struct LogProbabilitiesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logprobs",
        abstract: "The log-probability of every token after the first.",
        discussion: """
            Rows in: {"id", "tokens": [ids]}. Rows out, in the same order: {"id", "logprobs"}. They are computed as the learner \
            does, and equal those that generate recorded at the same temperature bit for bit.
            """)

    @Option(help: "A Hugging Face model directory.")
    var model: String

    @Option(help: "A file of JSON Lines.")
    var tokens: String

    @Option(help: "Divides the logits; at 0, as in generate, the distribution is that of temperature 1.")
    var temperature: Float = 1

    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        guard temperature >= 0, temperature.isFinite else {
            throw ValidationError("--temperature is \(temperature): it must be 0 or more")
        }
    }

    func run() async throws {
        try await Failure.reporting {
            let directory = try ModelDirectory(model)
            let shape = directory.configuration
            let rows = try RowFile.read(tokens) { fields in
                try TokenRow(fields, vocabularySize: shape.vocabularySize, maxPositions: shape.maxPositions)
            }
            let executor = ComputeExecutor(threads: compute.threadCount)
            defer { executor.shutdown() }
            let computation = BatchLogProbabilities(
                rows: rows, weights: PolicyWeights(directory.parameters),
                temperature: temperature == 0 ? 1 : temperature,
                model: model)
            try await computation.run(on: executor, into: OrderedRows())
        }
    }
}
