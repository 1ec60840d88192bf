import ArgumentParser
import Pipelines
import Tasks

struct DecomposeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decompose",
        abstract: "Paths into their structures: steps of meta-reasoning, sub-problem and answer.",
        discussion: """
            Rows in: {"id", "text", "question"?}. Rows out, in the same order: {"id", "structure", "error"}, of which one of the \
            last two is null.
            """)

    @Option(help: "A file of JSON Lines.")
    var input: String

    @OptionGroup var decomposition: DecompositionOptions
    @OptionGroup var compute: ComputeOptions

    func run() async throws {
        try await Failure.reporting {
            let rows = try JSONLinesFile(path: input).rows.map { try DecomposeRow($0) }
            let decomposer = ScoreOptions(decomposer: decomposition.decomposer).makeDecomposer()
            let executor = ComputeExecutor(threads: compute.threadCount)
            defer { executor.shutdown() }
            try await ParallelRows.run(count: rows.count, on: executor, lane: .scoring, into: OrderedRows()) {
                { index in (try JSONLine.encode(try await rows[index].decomposed(by: decomposer)), ()) }
            }
        }
    }
}
