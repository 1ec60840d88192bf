import ArgumentParser
import Files
import Kernels
import Learning
import Rollouts
import Tasks
import Tokenizers
import Training

/// Turns errors into one line on standard error and an exit status: 64 for options that cannot be met, 65 for input that
/// cannot be used, the settings of a run that diverges included, 70 for the rest.
enum Failure {
    static let usage = ExitCode(64)
    static let badInput = ExitCode(65)
    static let internalError = ExitCode(70)

    /// Runs a command's work, after a look at the kernel variant that the environment asks for.
    static func reporting(_ body: () async throws -> Void) async throws {
        do {
            _ = try InstructionSet.selected.get()
            try await body()
        } catch {
            throw reported(error)
        }
    }

    /// Writes the line of an error that the parser has none for; returns what to end with: success where nobody reads any more.
    static func reported(_ error: any Error) -> any Error {
        switch error {
        case is ExitCode, is ValidationError: return error
        case is OutputClosed: return ExitCode.success
        default:
            StandardError.write(ErrorLine.format("rlkd: \(error)") + "\n")
            return status(of: error)
        }
    }

    private static func status(of error: any Error) -> ExitCode {
        if case .option = (error as? InsufficientMemory)?.cause { return usage }
        return isBadInput(error) ? badInput : internalError
    }

    private static func isBadInput(_ error: any Error) -> Bool {
        switch error {
        case is InsufficientMemory, is ConfigurationError, is FormatError, is TokenizerError, is MalformedInput,
            is UnservableProblem, is MalformedMoments, is InstructionSetError, is UnusableModel, is DivergedRun:
            true
        default:
            false
        }
    }
}
