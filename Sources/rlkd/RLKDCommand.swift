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

    /// Keeps files that a command opens from becoming standard output or error where those were closed: what takes their place
    /// fails as they would.
    private static func holdStandardDescriptors() {
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(descriptor, F_GETFD) == -1 {
            // The lowest that is free: this one.
            _ = open("/dev/null", mode)
        }
    }

    static func main() async {
        // A reader that went away is seen by the write that fails, not by a signal that would also end a training run.
        signal(SIGPIPE, SIG_IGN)
        holdStandardDescriptors()
        await main(nil)
    }
}
