import Foundation

extension CommandLineProcess {
    /// The most bytes that a run of the command had resident, and what else it said.
    struct Peak {
        var bytes: Double
        var output: String
    }

    struct NoPeak: Error {
        var outcome: Outcome
    }

    /// - Parameter cores: that it may run on, by the system's numbers; all if there are none.
    /// - Throws: `NoPeak` with what it said if it failed.
    static func peak(_ arguments: [String], cores: [Int] = []) throws -> Peak {
        let outcome = try run(
            executable.deletingLastPathComponent().appending(path: "PeakOfRun"),
            [cores.map(String.init).joined(separator: ","), executable.path] + arguments)
        guard outcome.status == 0, let bytes = outcome.text.split(separator: "\n").last.flatMap({ Double($0) }) else {
            throw NoPeak(outcome: outcome)
        }
        return Peak(bytes: bytes, output: outcome.text + outcome.diagnostics)
    }
}
