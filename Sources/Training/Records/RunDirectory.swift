import Files
import Foundation

/// Where a run writes: `config.yaml metrics.jsonl summary.json rollouts/ checkpoints/ trace.json`.
struct RunDirectory: Sendable {
    let url: URL

    var configuration: URL { url.appending(path: "config.yaml") }
    var metrics: URL { url.appending(path: "metrics.jsonl") }
    var summary: URL { url.appending(path: "summary.json") }
    var state: URL { url.appending(path: "state.json") }
    var trace: URL { url.appending(path: "trace.json") }
    var rollouts: URL { url.appending(path: "rollouts") }
    var checkpoints: URL { url.appending(path: "checkpoints") }

    /// The last arm's checkpoints stand in `checkpoints` itself, those of what came before in a folder of their name.
    func checkpoints(of phase: RunPhase, isLast: Bool) -> URL {
        isLast ? checkpoints : checkpoints.appending(path: phase.rawValue)
    }

    /// Makes the directory. A new run takes one that is not there, or empty but for what a run leaves that is killed before it
    /// begins; to resume, there must be a `config.yaml`, and nothing is changed yet.
    static func create(for configuration: RunConfiguration, resuming: Bool) throws -> RunDirectory {
        let path = configuration.output ?? "runs/\(configuration.name)-\(timestamp())"
        let directory = RunDirectory(url: URL(filePath: path))
        let manager = FileManager.default
        guard !resuming else {
            try directory.requireBegun()
            try directory.requirePlace()
            return directory
        }
        guard directory.isUnused else {
            throw ConfigurationError(
                source: path, key: "output",
                reason: manager.fileExists(atPath: directory.configuration.path)
                    ? "is not empty; add --resume to go on with the run in it"
                    : "is not empty, and holds no run; choose another directory")
        }
        do {
            try FileError.writing(directory.rollouts) {
                try manager.createDirectory(at: directory.rollouts, withIntermediateDirectories: true)
            }
        } catch let error as FileError {
            throw ConfigurationError(source: path, key: "output", reason: error.reason)
        }
        return directory
    }

    /// Writes what a run has from its beginning, when all is checked: its configuration, then its state. What a kill left half
    /// written is removed.
    func begin(_ configuration: RunConfiguration, _ state: RunState) throws {
        sweep()
        try FileError.writing(rollouts) {
            try FileManager.default.createDirectory(at: rollouts, withIntermediateDirectories: true)
        }
        try Data(configuration.yaml().utf8).write(inPlaceOf: self.configuration)
        try state.write(to: self.state)
    }

    private static func timestamp() -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyyMMdd-HHmmss"
        return formatter.string(from: Date())
    }
}

/// The parts of a run, in order.
enum RunPhase: String, Sendable, Codable, CaseIterable {
    case base, sft, grpo, rlkd

    init(_ arm: Arm) {
        switch arm {
        case .sft: self = .sft
        case .grpo: self = .grpo
        case .rlkd: self = .rlkd
        }
    }
}

extension Encodable {
    /// Writes JSON with sorted keys, beside the file first, then in its place. Numbers that are not finite become the texts
    /// `inf`, `-inf` and `nan`.
    func write(to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(self).write(inPlaceOf: url)
    }
}
