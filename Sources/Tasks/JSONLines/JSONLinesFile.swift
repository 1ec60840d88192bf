import Foundation

/// The rows of a JSON Lines file: one object a line, blank lines skipped.
struct JSONLinesFile: Sendable {
    let path: String
    let rows: [JSONRow]

    /// Throws `ProblemSourceError` when the file cannot be read, a line is not a JSON object, or there is no row.
    init(path: String) throws(ProblemSourceError) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw ProblemSourceError(
                file: path, reason: "cannot be read; check that it exists and that you may read it")
        }
        try self.init(data, path: path)
    }

    init(_ data: Data, path: String) throws(ProblemSourceError) {
        self.path = path
        let decoder = JSONDecoder()
        let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
        let blanks: [UInt8] = [0x20, 0x09, 0x0d]
        let content = data.starts(with: byteOrderMark) ? data.dropFirst(byteOrderMark.count) : data
        var rows: [JSONRow] = []
        let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.allSatisfy({ blanks.contains($0) }) {
            do {
                let fields = try decoder.decode([String: JSONField].self, from: line)
                rows.append(JSONRow(file: path, line: index + 1, fields: fields))
            } catch {
                throw ProblemSourceError(
                    file: path, line: index + 1, reason: "is not a JSON object on a line of its own")
            }
        }
        guard !rows.isEmpty else { throw ProblemSourceError(file: path, reason: "has not one usable row") }
        self.rows = rows
    }

    /// The file's name without folder and last extension: the first part of its problems' ids.
    var stem: String {
        URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    }
}

/// One row, and where it stands.
struct JSONRow: Sendable {
    let file: String
    let line: Int
    let fields: [String: JSONField]

    /// The text of a field; numbers as they are written, nil for null. Throws `ProblemSourceError` for a missing field or one of
    /// another type.
    func text(_ name: String) throws(ProblemSourceError) -> String? {
        switch try field(name) {
        case .text(let text): return text
        case .null: return nil
        case .list, .other: throw error(name, "is neither a text nor a number")
        }
    }

    /// As `text`, but null and blank are errors.
    func requiredText(_ name: String) throws(ProblemSourceError) -> String {
        guard let text = try text(name), !text.allSatisfy(\.isWhitespace) else { throw error(name, "is empty") }
        return text
    }

    /// One text, or a list of them; none for null. Blank ones are left out.
    func texts(_ name: String) throws(ProblemSourceError) -> [String] {
        var texts: [String] = []
        switch try field(name) {
        case .text(let text): texts = [text]
        case .null: break
        case .list(let elements):
            for element in elements {
                guard case .text(let text) = element else { throw error(name, "has an element that is not a text") }
                texts.append(text)
            }
        case .other: throw error(name, "is neither a text nor a list of texts")
        }
        return texts.filter { !$0.allSatisfy(\.isWhitespace) }
    }

    func error(_ field: String?, _ reason: String) -> ProblemSourceError {
        ProblemSourceError(file: file, line: line, field: field, reason: reason)
    }

    private func field(_ name: String) throws(ProblemSourceError) -> JSONField {
        guard let field = fields[name] else {
            throw error(name, "is missing; the row has \(fields.keys.sorted().joined(separator: ", "))")
        }
        return field
    }
}

/// What a field of a row can hold, as far as problems go.
indirect enum JSONField: Sendable, Decodable {
    case text(String)
    case list([JSONField])
    case null
    case other

    init(from decoder: any Decoder) throws {
        if let elements = try? decoder.unkeyedContainer() {
            self = try JSONField.list(elements)
            return
        }
        guard let value = try? decoder.singleValueContainer() else {
            self = .other
            return
        }
        if value.decodeNil() {
            self = .null
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let integer = try? value.decode(Int.self) {
            self = .text(String(integer))
        } else if let number = try? value.decode(Double.self) {
            self = .text(String(number))
        } else {
            self = .other
        }
    }

    private static func list(_ elements: any UnkeyedDecodingContainer) throws -> JSONField {
        var rest = elements
        var list: [JSONField] = []
        while !rest.isAtEnd { list.append(try rest.decode(JSONField.self)) }
        return .list(list)
    }
}
