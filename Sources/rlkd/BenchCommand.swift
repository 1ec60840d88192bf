import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Throughput of kernels, rollouts and learner, as a share of the machine's measured peak.",
        subcommands: [BenchKernelsCommand.self, BenchRolloutCommand.self, BenchLearnerCommand.self])
}

/// What every benchmark takes.
struct BenchOptions: ParsableArguments {
    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup var shape: BenchShape
    @OptionGroup var compute: ComputeOptions

    /// - Throws: `ValidationError` for a count below 1.
    static func check(_ counts: KeyValuePairs<String, Int>) throws {
        for (name, count) in counts where !(1...1 << 20).contains(count) {
            throw ValidationError("\(name) is \(count): it must be 1 to \(1 << 20)")
        }
    }

    func write(_ report: BenchReport) throws {
        if json {
            try StandardOutput.write(JSONLine.encodeIndented(report))
        } else {
            try StandardOutput.write(line: report.text)
        }
    }
}
