import ArgumentParser
import Pipelines

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

    /// No more than cores: what threads do in turn is no rate of theirs together.
    var threadCount: Int { ProcessorCores.running(compute.threadCount) }

    /// Says so where there are fewer threads than were asked for; for when nothing else is wrong.
    func noteThreads() {
        guard compute.threadCount > threadCount else { return }
        Diagnostics.logger.warning(
            "--threads is \(compute.threadCount): there are \(threadCount) cores, and benchmarks run a thread a core")
    }

    func write(_ report: BenchReport) throws {
        if json {
            try StandardOutput.write(JSONLine.encodeIndented(report))
        } else {
            try StandardOutput.write(line: report.text)
        }
    }
}
