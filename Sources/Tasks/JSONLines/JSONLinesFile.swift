import Files
import Foundation
import Memory

/// The rows of a JSON Lines file: one object a line, blank lines and a byte-order mark skipped.
package struct JSONLinesFile: Sendable {
    package let path: String
    package let rows: [JSONRow]

    /// - Throws: `MalformedInput` when the file cannot be read, a line is not a JSON object, or there is no row.
    package init(path: String) throws(MalformedInput) {
        try self.init(Self.data(path), path: path)
    }

    package init(_ data: Data, path: String) throws(MalformedInput) {
        self.path = path
        rows = try Self.map(data, path: path) { row throws(MalformedInput) in row }
    }

    /// What `body` makes of each row, which is let go before the next one is parsed: all rows together take several times the file.
    ///
    /// - Throws: as `init`, and what `body` throws.
    package static func map<Row>(
        path: String, _ body: (JSONRow) throws(MalformedInput) -> Row
    ) throws(MalformedInput) -> [Row] {
        let rows = try map(data(path), path: path, body)
        // All else that the program needs would come on top of the file.
        Allocator.returnFreedMemory()
        return rows
    }

    /// Bytes while a file is read for each of its own: the file as it stands, and its texts or tokens. Measured with 16 to
    /// 167 MB of rows of 46 to 4000 bytes.
    private static let copies = 2.0

    /// Bytes that reading a file takes, about; of a pipe, whose size is not known, those of the rows beside their texts.
    ///
    /// - Parameter rowBytes: what a row takes beside its texts or tokens, until it is what the program works with.
    package static func readingByteCount(path: String, rows: Int, rowBytes: Double) -> Double {
        copies * Double(InputBytes.size(path: path)) + rowBytes * Double(rows)
    }

    private static func data(_ path: String) throws(MalformedInput) -> Data {
        do {
            return try InputBytes.read(path: path)
        } catch {
            throw MalformedInput(file: path, problem: error.reason)
        }
    }

    private static func map<Row>(
        _ data: Data, path: String, _ body: (JSONRow) throws(MalformedInput) -> Row
    ) throws(MalformedInput) -> [Row] {
        let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
        let content = data.starts(with: byteOrderMark) ? data.dropFirst(byteOrderMark.count) : data
        var rows: [Row] = []
        let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.allSatisfy({ [0x20, 0x09, 0x0d].contains($0) }) {
            rows.append(try body(JSONRow(line, file: path, line: index + 1)))
        }
        guard !rows.isEmpty else { throw MalformedInput(file: path, problem: "holds no row") }
        return rows
    }

    /// The file's name without folder and last extension: the first part of its problems' ids.
    var stem: String {
        URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    }
}
