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

    /// `--batch -1` as `--batch=-1`: the parser would take the number for an option, and miss the value.
    static func joiningNegativeNumbers(_ arguments: [String]) -> [String] {
        // What follows `--` is no option.
        let options = arguments.prefix { $0 != "--" }
        var joined: [String] = []
        for argument in options {
            if let name = joined.last, name.hasPrefix("--"), !name.contains("="), argument.hasPrefix("-"),
                Double(argument) != nil
            {
                joined[joined.count - 1] = "\(name)=\(argument)"
            } else {
                joined.append(argument)
            }
        }
        return joined + arguments.dropFirst(options.count)
    }

    static func main() async {
        // A reader that went away is seen by the write that fails, not by a signal that would also end a training run.
        signal(SIGPIPE, SIG_IGN)
        holdStandardDescriptors()
        await main(joiningNegativeNumbers(Array(CommandLine.arguments.dropFirst())))
    }
}
