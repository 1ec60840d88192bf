import ArgumentParser
import Files
import Foundation
import Memory

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

    /// Files that may be open, and bytes of memory, with which any command starts: the system's libraries end the program, or
    /// wait for ever, where they get none for themselves.
    private static let fewestFiles: rlim_t = 16
    private static let leastMemory = 64 << 20

    /// What the process's limits do not leave it; nil where it can start.
    private static var lack: String? {
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < fewestFiles {
            return "at most \(limit.rlim_cur) files may be open; raise the limit to \(fewestFiles) or more (ulimit -n)"
        }
        let available = AvailableMemory.bytesToStart
        return available < leastMemory
            ? "\(available) bytes of memory are left; at least \(leastMemory) are needed (ulimit -v, or the control group's limit)"
            : nil
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
        if let lack = Self.lack {
            StandardError.write("rlkd: \(lack)\n")
            Foundation.exit(Failure.internalError.rawValue)
        }
        do {
            var command = try await asyncParseAsRoot(joiningNegativeNumbers(Array(CommandLine.arguments.dropFirst())))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            guard exitCode(for: error).isSuccess else { exit(withError: error) }
            // Help, or the version: a result like others, which the parser would write without a look at what became of it.
            write(fullMessage(for: error))
        }
    }

    private static func write(_ message: String) {
        guard !message.isEmpty else { return }
        do {
            try StandardOutput.write(line: message)
        } catch {
            exit(withError: Failure.reported(error))
        }
    }
}
