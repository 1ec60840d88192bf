import Foundation

/// Appends lines to `metrics.jsonl`. One owner at a time.
final class MetricsLog {
    private let url: URL
    private var handle: FileHandle
    private let encoder = JSONEncoder()

    init(_ url: URL) throws {
        self.url = url
        if !FileManager.default.fileExists(atPath: url.path) {
            try Data().write(to: url)
        }
        handle = try Self.open(url)
        encoder.outputFormatting = [.sortedKeys]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    }

    deinit {
        try? handle.close()
    }

    private static func open(_ url: URL) throws -> FileHandle {
        let handle = try FileHandle(forWritingTo: url)
        try handle.seekToEnd()
        return handle
    }

    func append(_ record: StepRecord) throws {
        var line = try encoder.encode(record)
        line.append(UInt8(ascii: "\n"))
        try handle.write(contentsOf: line)
    }

    /// Leaves out what a resumed run will make again: the phase's updates after `step`, those of phases that are neither it
    /// nor finished, and a line that was cut off.
    func rewind(finished: Set<RunPhase>, resuming phase: RunPhase, after step: Int) throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        var kept = Data()
        for line in try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")) {
            guard let record = try? decoder.decode(StepRecord.self, from: line),
                let recorded = RunPhase(rawValue: record.phase),
                finished.contains(recorded) || (recorded == phase && record.update.version.rawValue <= step)
            else { continue }
            kept += line + [UInt8(ascii: "\n")]
        }
        try kept.write(to: url, options: .atomic)
        // The file in this place is another one now.
        try handle.close()
        handle = try Self.open(url)
    }
}
