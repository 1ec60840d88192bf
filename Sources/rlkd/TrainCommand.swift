import ArgumentParser
import Foundation
import Logging
import Training

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "A run: base student, arms, evaluation. Without a file, the built-in one.",
        discussion: """
            Keys are those of config.yaml in any run directory, with dots between nested names: steps=40, \
            task.graphs.modulus=13, arms=rlkd. The last line of standard output is the run directory.

            reward.overlong.weight=W punishes long completions (DAPO): the value is 0 up to reward.overlong.start tokens and falls \
            to -1 at reward.overlong.limit. evaluation.split=validation measures on validation problems instead of the test's \
            (of files: task.validation).
            """)

    @Argument(help: "A YAML file, then key=value pairs that change it.")
    var settings: [String] = []

    @Flag(help: "Go on with the run in the directory that output= names, from its last checkpoint.")
    var resume = false

    @Flag(help: "Check everything and print the configuration, then stop.")
    var dryRun = false

    func run() async throws {
        try await Failure.reporting {
            let configuration = try readConfiguration()
            let run = TrainingRun(configuration: configuration, resuming: resume, logger: Diagnostics.logger)
            if dryRun {
                try StandardOutput.write(line: run.describe())
                return
            }
            let outcome = try await run.run()
            let lines = outcome.table.isEmpty ? outcome.directory.path : "\(outcome.table)\n\(outcome.directory.path)"
            do {
                try StandardOutput.write(line: lines)
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

    private func readConfiguration() throws -> RunConfiguration {
        let (given, overrides) = try ConfigurationArguments.split(settings)
        var file = given
        if resume {
            guard let output = overrides.last(where: { $0.hasPrefix("output=") })?.dropFirst("output=".count) else {
                throw ValidationError("--resume needs output=DIR, the run directory to go on with")
            }
            file = try file ?? TrainingRun.configurationFile(in: String(output))
        }
        return try ConfigurationReader.read(file: file, overrides: overrides)
    }
}
