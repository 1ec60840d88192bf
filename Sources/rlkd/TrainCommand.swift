import ArgumentParser
import Foundation
import Logging
import Models
import Training

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "A run: base student, arms, evaluation. Without a file, the built-in one.",
        discussion: """
            Keys are those of config.yaml in any run directory, with dots between nested names: steps=40, \
            task.graphs.modulus=13, arms=rlkd. Paths in a file are relative to its folder; in a pipe, such as /dev/stdin, to the \
            working directory. Standard output ends with the table, the paths of what was \
            written and, as its last line, the run directory.

            reward.overlong.weight=W punishes long completions (DAPO): the value is 0 up to reward.overlong.start tokens and falls \
            to -1 at reward.overlong.limit. evaluation.split=validation measures on validation problems instead of the test's \
            (of files: task.validation).

            dtype=bf16 computes products, keys and values in bfloat16. learner.adapters.rank=R trains adapters of that rank (LoRA) \
            with learner.adapters.alpha=A on learner.adapters.targets=q_proj,v_proj,… in place of all weights; \
            all-linear, the default, is the decoder layers' seven, and lm_head the head, where it is not tied to the embedding. \
            learner.activations=recomputed takes less memory and more time. learner.microBatchRows=N computes \
            about so many rows of an update together: fewer take less memory, and less time on many threads.
            """)

    @Argument(help: "A YAML file, then key=value pairs that change it.")
    var settings: [String] = []

    @Option(help: "Compute threads; 0 takes all cores: threads=N for short.")
    var threads: Int?

    @Option(help: "Numbers of the student's matrix products, f32 or bf16: dtype=NAME for short.")
    var dtype: Precision?

    @Flag(help: "Go on with the run in the directory that output= names, from its last checkpoint.")
    var resume = false

    @Flag(help: "Check everything, print the configuration and about what memory the run takes, then stop.")
    var dryRun = false

    func validate() throws {
        if let threads { try ComputeOptions.check(threads: threads) }
    }

    func run() async throws {
        try await Failure.reporting {
            let (configuration, origins) = try readConfiguration()
            let run = TrainingRun(configuration: configuration, resuming: resume, logger: Diagnostics.logger)
            if dryRun {
                try StandardOutput.write(line: try await origins.locating { try run.describe() })
                return
            }
            let outcome = try await origins.locating { try await run.run() }
            let paths = outcome.written.map(\.path) + [outcome.directory.path]
            let lines = (outcome.table.isEmpty ? [] : [outcome.table, ""]) + paths
            do {
                try StandardOutput.write(line: lines.joined(separator: "\n"))
            } catch let error where !outcome.wasInterrupted {
                // A reader that has gone did not learn what the run came to.
                throw error is OutputClosed ? OutputFailure(reason: "its reader has gone") : error
            } catch {
                // The terminal may be what went; the status still says that there is more to do.
            }
            if outcome.wasInterrupted {
                Diagnostics.logger.notice("interrupted; rlkd train --resume output=\(outcome.directory.path) goes on")
                throw ExitCode(130)
            }
        }
    }

    private func readConfiguration() throws -> (RunConfiguration, ConfigurationOrigins) {
        var (given, overrides) = try ConfigurationArguments.split(settings)
        if let threads { overrides.append("threads=\(threads)") }
        if let dtype { overrides.append("dtype=\(dtype.rawValue)") }
        var file = given
        if resume {
            guard let output = overrides.last(where: { $0.hasPrefix("output=") })?.dropFirst("output=".count) else {
                throw ValidationError("--resume needs output=DIR, the run directory to go on with")
            }
            file = try file ?? TrainingRun.configurationFile(in: String(output))
        }
        return try ConfigurationReader.readWithOrigins(file: file, overrides: overrides)
    }
}
