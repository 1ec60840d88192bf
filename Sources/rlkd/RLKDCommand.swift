import ArgumentParser
import Foundation

/// The command line of RLKD.
@main
struct RLKDCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rlkd",
        abstract: "Distils a teacher's reasoning into a student language model by reinforcement learning.",
        version: "0.1.0",
        subcommands: [
            TrainCommand.self, EvaluateCommand.self, GenerateCommand.self, LogProbabilitiesCommand.self,
            TokenizeCommand.self, DecomposeCommand.self, ScoreCommand.self, BenchCommand.self, InfoCommand.self,
        ])

    static func main() async {
        // A reader that went away is seen by the write that fails, not by a signal that would also end a training run.
        signal(SIGPIPE, SIG_IGN)
        await main(nil)
    }
}
