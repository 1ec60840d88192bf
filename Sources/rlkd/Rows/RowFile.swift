import Foundation
import StructureRewards
import Tokenizers

/// A file of JSON Lines: one object a line, blank lines skipped.
enum RowFile {
    /// Reads and checks every row.
    ///
    /// - Throws: `MalformedInput` naming file, line and field: a file that cannot be read or has no row, a line that is no JSON
    ///   object, and what `convert` throws.
    static func read<Row>(_ path: String, _ convert: (RowFields) throws -> Row) throws -> [Row] {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw MalformedInput(file: path, problem: "cannot be read; does it exist, and may you read it?")
        }
        return try rows(in: data, file: path, convert)
    }

    static func rows<Row>(in data: Data, file: String, _ convert: (RowFields) throws -> Row) throws -> [Row] {
        let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
        let content = data.starts(with: byteOrderMark) ? data.dropFirst(byteOrderMark.count) : data
        var rows: [Row] = []
        let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.allSatisfy({ [0x20, 0x09, 0x0d].contains($0) }) {
            rows.append(try convert(RowFields(line, file: file, line: index + 1)))
        }
        guard !rows.isEmpty else { throw MalformedInput(file: file, problem: "holds no row") }
        return rows
    }
}

/// The fields of one row, and where it stands.
struct RowFields {
    let file: String
    let line: Int
    private let root: JSONField

    init(_ bytes: Data, file: String, line: Int) throws(MalformedInput) {
        self.file = file
        self.line = line
        do {
            let value = try bytes.withUnsafeBytes { try JSONValue(parsing: $0, file: file) }
            root = JSONField(file: file, value: value)
        } catch let error as FormatError {
            throw MalformedInput(file: file, line: line, problem: error.reason)
        } catch {
            throw MalformedInput(file: file, line: line, problem: "\(error)")
        }
        guard case .object = root.value else {
            throw MalformedInput(file: file, line: line, problem: "is \(root.value.kind), not a JSON object")
        }
    }

    func failure(_ field: String, _ problem: String) -> MalformedInput {
        MalformedInput(file: file, line: line, field: field, problem: problem)
    }

    /// The row's name, a string or a whole number.
    func identifier() throws(MalformedInput) -> RowIdentifier {
        switch root["id"].value {
        case .string(let text): return .text(text)
        case .integer(let number): return .number(number)
        case .null: throw failure("id", "is missing")
        default: throw failure("id", "is \(root["id"].value.kind), neither a string nor a whole number")
        }
    }

    /// Nil where the field is absent or null.
    func text(_ name: String) throws(MalformedInput) -> String? {
        switch root[name].value {
        case .null: return nil
        case .string(let text): return text
        default: throw failure(name, "is \(root[name].value.kind), not a string")
        }
    }

    /// Nil where the field is absent or null.
    func list(_ name: String) throws(MalformedInput) -> [JSONValue]? {
        switch root[name].value {
        case .null: return nil
        case .array(let elements): return elements
        default: throw failure(name, "is \(root[name].value.kind), not a list")
        }
    }

    /// A list of token ids that fit 32 bits; nil where the field is absent or null.
    func tokens(_ name: String) throws(MalformedInput) -> [Int32]? {
        switch root[name].value {
        case .null: return nil
        case .array(let elements):
            var tokens: [Int32] = []
            tokens.reserveCapacity(elements.count)
            for (index, element) in elements.enumerated() {
                guard case .integer(let number) = element, let token = Int32(exactly: number) else {
                    throw failure("\(name)[\(index)]", "is \(element.kind), not a token id")
                }
                tokens.append(token)
            }
            return tokens
        default: throw failure(name, "is \(root[name].value.kind), not a list of token ids")
        }
    }

    /// Throws for a token outside the vocabulary.
    func check(_ tokens: [Int32], vocabularySize: Int, field: String) throws(MalformedInput) {
        guard let index = tokens.firstIndex(where: { $0 < 0 || Int($0) >= vocabularySize }) else { return }
        throw failure(
            "\(field)[\(index)]", "is \(tokens[index]), outside the model's vocabulary of \(vocabularySize)")
    }
}
