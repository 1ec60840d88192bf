import Foundation
import Kernels

/// `summary.json`: what every arm scored.
struct Summary: Sendable, Codable {
    struct Machine: Sendable, Codable {
        var processor: String
        var cores: Int
        var threads: Int
        var kernels: String
    }

    /// By arm (`base` is the student that all start from), then by test set.
    var arms: [String: [String: EvaluationResult]]
    var phases: [String: PhaseReport]
    /// Rows that did not fit the student's context.
    var dropped: Int
    var wallSeconds: Double
    var machine: Machine

    init(_ state: RunState, dropped: Int, threads: Int) {
        arms = state.results
        phases = state.reports
        self.dropped = dropped
        wallSeconds = state.wallSeconds
        machine = Machine(
            processor: ProcessorName.current, cores: ProcessInfo.processInfo.activeProcessorCount, threads: threads,
            kernels: InstructionSet.current.description)
    }

    /// A row an arm and test set.
    ///
    /// - Parameter samples: drawn of each problem.
    func table(samples: Int) -> String {
        var table = EvaluationTable(names: ["arm", "test"], samples: samples)
        for phase in RunPhase.allCases {
            for (test, result) in (arms[phase.rawValue] ?? [:]).sorted(by: { $0.key > $1.key }) {
                table.add([phase.rawValue, test], result)
            }
        }
        return table.text
    }
}

/// The processor's name as the system gives it.
public enum ProcessorName {
    public static let current: String = {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        let model = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last
        return model.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    }()
}
