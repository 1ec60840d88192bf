import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract:
            "Throughput of kernels, rollouts, learner and the whole pipeline, as a share of the machine's measured peak.",
        subcommands: [
            BenchKernelsCommand.self, BenchRolloutCommand.self, BenchLearnerCommand.self, BenchPipelineCommand.self,
        ])
}

/// What every benchmark takes.
struct BenchOptions: ParsableArguments {
    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var shape: BenchShape
    @OptionGroup var compute: ComputeOptions

    func write(_ report: BenchReport) throws {
        if json {
            try StandardOutput.write(JSONLine.encodeIndented(report))
        } else {
            try StandardOutput.write(line: report.text)
        }
    }
}
