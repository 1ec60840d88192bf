import Files
import Foundation

/// Appends lines to `metrics.jsonl`. One owner at a time.
final class MetricsLog {
    private let url: URL
    /// Opened by the first line.
    private var handle: FileHandle?
    private let encoder = JSONEncoder()

    init(_ url: URL) {
        self.url = url
        encoder.outputFormatting = [.sortedKeys]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    }

    deinit {
        try? handle?.close()
    }

    private func open() throws -> FileHandle {
        if let handle { return handle }
        if !FileManager.default.fileExists(atPath: url.path) {
            try Data().write(to: url)
        }
        let opened = try FileHandle(forWritingTo: url)
        handle = opened
        try opened.seekToEnd()
        return opened
    }

    /// - Throws: `FileError`.
    func append(_ record: StepRecord) throws {
        var line = try encoder.encode(record)
        line.append(UInt8(ascii: "\n"))
        try FileError.writing(url) { try open().write(contentsOf: line) }
    }

    /// Leaves out what a resumed run will make again: the phase's updates after `step`, those of phases that are neither it
    /// nor finished, and a line that was cut off.
    ///
    /// - Parameters:
    ///   - finished: phases that are, and their updates.
    ///   - prepare: called when all is checked, before anything is changed.
    /// - Throws: `ConfigurationError` naming the file and a damaged line, or a phase whose updates are gone.
    func rewind(
        finished: [RunPhase: Int], resuming phase: RunPhase, after step: Int, prepare: () throws -> Void = {}
    ) throws {
        var kept = Data()
        var last: [RunPhase: Int] = [:]
        for (recorded, version, line) in try records() {
            guard finished[recorded] != nil || (recorded == phase && version <= step) else { continue }
            last[recorded] = max(last[recorded] ?? 0, version)
            kept += line + [UInt8(ascii: "\n")]
        }
        // The last update may be missing: a disk that was full takes a checkpoint in the place of what it could not log.
        for (phase, updates) in finished.merging([phase: step], uniquingKeysWith: max)
        where last[phase] ?? 0 < updates - 1 {
            throw ConfigurationError(
                source: url.path, key: "",
                reason: "ends at update \(last[phase] ?? 0) of \(phase.rawValue), which has made \(updates); "
                    + "lines were lost: put the file back")
        }
        try prepare()
        // The file in this place is another one from here on.
        try handle?.close()
        handle = nil
        try kept.write(inPlaceOf: url)
    }

    /// Every whole line; none where there is no file.
    private func records() throws -> [(phase: RunPhase, version: Int, line: Data)] {
        var status = stat()
        guard lstat(url.path, &status) == 0 || errno != ENOENT else { return [] }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let text = try StateFile.data(url)
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // What follows the last end of a line was being written when the run was killed.
        return try lines.dropLast().enumerated().map { index, line in
            guard let record = try? decoder.decode(StepRecord.self, from: line),
                let phase = RunPhase(rawValue: record.phase)
            else {
                throw ConfigurationError(
                    source: url.path, line: index + 1, key: "",
                    reason: "is damaged: it is not the line that the run wrote")
            }
            return (phase, record.update.version.rawValue, line)
        }
    }
}
