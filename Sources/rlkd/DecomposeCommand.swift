import ArgumentParser
import StructureRewards

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
            let rows = try DecomposeRow.read(from: input)
            let decomposer = ScoreOptions(decomposer: decomposition.decomposer).makeDecomposer()
            for row in rows {
                try StandardOutput.write(row: try await row.decomposed(by: decomposer))
            }
        }
    }
}
