import Foundation

/// Appends lines to `metrics.jsonl`. One owner at a time.
final class MetricsLog {
    private let handle: FileHandle
    private let encoder = JSONEncoder()

    init(_ url: URL) throws {
        if !FileManager.default.fileExists(atPath: url.path) {
            try Data().write(to: url)
        }
        handle = try FileHandle(forWritingTo: url)
        try handle.seekToEnd()
        encoder.outputFormatting = [.sortedKeys]
    }

    deinit {
        try? handle.close()
    }

    func append(_ record: StepRecord) throws {
        var line = try encoder.encode(record)
        line.append(UInt8(ascii: "\n"))
        try handle.write(contentsOf: line)
    }

    /// Leaves out what a resumed run will make again: the phase's updates after `step`, and those of later phases.
    static func truncate(_ url: URL, finished: Set<RunPhase>, resuming phase: RunPhase, after step: Int) throws {
        guard let text = try? String(contentsOf: url, encoding: .utf8) else { return }
        let decoder = JSONDecoder()
        let kept = text.split(separator: "\n").filter { line in
            guard let record = try? decoder.decode(StepRecord.self, from: Data(line.utf8)),
                let recorded = RunPhase(rawValue: record.phase)
            else { return false }
            return finished.contains(recorded) || (recorded == phase && record.update.version.rawValue <= step)
        }
        try Data((kept.joined(separator: "\n") + (kept.isEmpty ? "" : "\n")).utf8).write(to: url, options: .atomic)
    }
}
