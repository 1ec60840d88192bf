import ArgumentParser
import Generation
import Models
import Pipelines
import Tasks
import Training

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
    var temperature = WrittenNumber(1)

    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        try OptionRange.check(temperature: temperature)
    }

    func run() async throws {
        try await Failure.reporting {
            let directory = try ModelDirectory(model, precision: compute.dtype, logger: Diagnostics.logger)
            let shape = directory.configuration
            let rows = try JSONLinesFile.map(path: tokens) { row throws(MalformedInput) in
                try TokenRow(row, vocabularySize: shape.vocabularySize, maxPositions: shape.maxPositions)
            }
            try need(of: rows, directory).check()
            let executor = ComputeExecutor(threads: compute.threadCount)
            defer { executor.shutdown() }
            let computation = BatchLogProbabilities(
                rows: rows, weights: try await executor.weights(of: directory.weights, positions: Self.positions(rows)),
                temperature: temperature.value == 0 ? 1 : temperature.value,
                model: model)
            try await computation.run(on: executor, into: OrderedRows())
        }
    }

    /// Of the longest row.
    private static func positions(_ rows: [TokenRow]) -> Int { rows.map(\.tokens.count).max() ?? 1 }

    private func need(of rows: [TokenRow], _ directory: ModelDirectory) -> MemoryNeed {
        let memory = ModelMemory(directory.configuration)
        var need = directory.servingNeed(positions: Self.positions(rows), threads: compute.threadCount)
        let file = MemoryCause.option("--tokens", value: tokens)
        need.add(rows.reduce(0) { $0 + $1.byteCount }, file)
        if let longest = rows.max(by: { $0.tokens.count < $1.tokens.count }) {
            let count = Double(longest.tokens.count)
            need.add(
                Double(min(compute.threadCount, rows.count)) * memory.logProbabilities(rows: count, targets: count),
                .field("tokens", of: tokens, line: longest.line, value: "\(longest.tokens.count) tokens long"))
        }
        need.addReading(
            JSONLinesFile.readingByteCount(path: tokens, rows: rows.count, rowBytes: TokenRow.readingBytes), file)
        return need
    }
}
