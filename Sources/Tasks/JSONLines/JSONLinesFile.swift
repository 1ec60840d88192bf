import Foundation
import Tokenizers

/// The rows of a JSON Lines file: one object a line, blank lines and a byte-order mark skipped.
package struct JSONLinesFile: Sendable {
    package let path: String
    package let rows: [JSONRow]

    /// - Throws: `MalformedInput` when the file cannot be read, a line is not a JSON object, or there is no row.
    package init(path: String) throws(MalformedInput) {
        try self.init(InputBytes.read(path: path), path: path)
    }

    package init(_ data: Data, path: String) throws(MalformedInput) {
        self.path = path
        let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
        let content = data.starts(with: byteOrderMark) ? data.dropFirst(byteOrderMark.count) : data
        var rows: [JSONRow] = []
        let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.allSatisfy({ [0x20, 0x09, 0x0d].contains($0) }) {
            rows.append(try JSONRow(line, file: path, line: index + 1))
        }
        guard !rows.isEmpty else { throw MalformedInput(file: path, problem: "holds no row") }
        self.rows = rows
    }

    /// The file's name without folder and last extension: the first part of its problems' ids.
    var stem: String {
        URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    }
}
