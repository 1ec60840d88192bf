import Files
import Foundation
import Yams

/// A YAML file of keys, or a pipe that gives its text.
struct ConfigurationFile {
    let url: URL

    /// What relative paths in it are relative to: a file's own folder, and for a pipe, or a file that comes as standard input, the
    /// working directory.
    var folder: URL {
        // A shell gives what it opened one of these names.
        let isOpened = url.path == "/dev/stdin" || ["/dev/fd/", "/proc/"].contains { url.path.hasPrefix($0) }
        var status = stat()
        let isFile = stat(url.path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        return isFile && !isOpened
            ? url.deletingLastPathComponent()
            : URL(filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
    }

    /// Where lists of aliases stand for one another, their values multiply, and some are gone through one by one.
    private static let mostAliases = 8

    /// Why a text is not parsed; nil where it may be.
    static func excess(_ text: String) -> String? {
        // As many as there may be at most: within quotes it is none.
        let aliases = text.matches(of: /(?:^|[\s\[{,:?-])\*[^\s,\]}]/).count
        return aliases > mostAliases
            ? "has \(aliases) aliases (such as *name), and may have \(mostAliases): write the values out" : nil
    }

    /// Nil where the file's text holds no document.
    ///
    /// - Throws: `ConfigurationError` that tells in one line where it is no YAML.
    func document(_ text: String) throws(ConfigurationError) -> Node? {
        if let reason = Self.excess(text) { throw failure(reason) }
        do {
            return try Yams.compose(yaml: text)
        } catch let error as YamlError {
            let (line, problem) = Self.describe(error)
            // What the end of the text lacks is missed one line further on.
            let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            let last = 1 + (lines.lastIndex { !$0.isEmpty } ?? 0)
            throw ConfigurationError(
                source: url.path, line: line.map { min($0, last) }, key: "", reason: "is not YAML: \(problem)")
        } catch {
            throw failure("is not YAML: \(error)")
        }
    }

    /// - Throws: `ConfigurationError` that tells in one line why it cannot be read.
    func text() throws(ConfigurationError) -> String {
        let data: Data
        do {
            data = try InputBytes.read(path: url.path, limit: InputFile.largestSettings)
        } catch {
            throw failure(error.reason)
        }
        guard let text = String(validating: data, as: UTF8.self) else { throw failure("is not UTF-8 text") }
        return text
    }

    private func failure(_ reason: String) -> ConfigurationError {
        ConfigurationError(source: url.path, key: "", reason: reason)
    }

    /// The line, where it is known, and the problem in one line: the error's own description quotes the file over several.
    private static func describe(_ error: YamlError) -> (line: Int?, problem: String) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            (mark.line, [context?.text, problem].compactMap(\.self).joined(separator: ", "))
        case .reader(let problem, let offset, _, let text):
            (offset.map { offset in 1 + text.prefix(offset).count(where: \.isNewline) }, problem)
        case .duplicatedKeysInMapping(let names, let context):
            (
                context.mark.line,
                "the mapping that begins here has a key twice: \(names.sorted().joined(separator: ", "))"
            )
        default:
            (nil, "\(error)".split(whereSeparator: \.isNewline).joined(separator: " "))
        }
    }
}
