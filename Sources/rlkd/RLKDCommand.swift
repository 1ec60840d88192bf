import ArgumentParser

/// The command line of RLKD.
@main
struct RLKDCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rlkd",
        abstract: "Distils a teacher's reasoning into a student language model by reinforcement learning.",
        subcommands: [TrainCommand.self])
}
