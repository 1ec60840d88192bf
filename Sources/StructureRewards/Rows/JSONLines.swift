import Foundation

/// JSON Lines: one JSON value a line, blank lines ignored.
enum JSONLines {
    /// - Parameter convert: makes a row of a decoded one; it may refuse with a field and a reason.
    static func read<Row: Decodable>(_ type: Row.Type, from file: String) throws(MalformedInput) -> [(
        line: Int, row: Row
    )] {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: file))
        } catch {
            throw MalformedInput(file: file, problem: "cannot be read; does it exist, and may you read it?")
        }
        return try rows(type, in: data, file: file)
    }

    static func rows<Row: Decodable>(
        _ type: Row.Type, in data: Data, file: String
    ) throws(MalformedInput) -> [(line: Int, row: Row)] {
        let decoder = JSONDecoder()
        var rows: [(line: Int, row: Row)] = []
        for (index, line) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }) else { continue }
            do {
                rows.append((index + 1, try decoder.decode(type, from: line)))
            } catch {
                throw malformed(error, file: file, line: index + 1)
            }
        }
        return rows
    }

    private static func malformed(_ error: any Error, file: String, line: Int) -> MalformedInput {
        func path(_ keys: [any CodingKey]) -> String? {
            keys.isEmpty ? nil : keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
        }
        guard let error = error as? DecodingError else {
            return MalformedInput(file: file, line: line, problem: "\(error)")
        }
        switch error {
        case .keyNotFound(let key, let context):
            return MalformedInput(
                file: file, line: line, field: path(context.codingPath + [key]), problem: "is missing")
        case .valueNotFound(_, let context):
            return MalformedInput(file: file, line: line, field: path(context.codingPath), problem: "is null")
        case .typeMismatch(_, let context):
            return MalformedInput(
                file: file, line: line, field: path(context.codingPath),
                problem: "has the wrong type: \(context.debugDescription)")
        case .dataCorrupted(let context):
            let field = path(context.codingPath)
            return MalformedInput(
                file: file, line: line, field: field,
                problem: field == nil ? "is not a JSON object" : context.debugDescription)
        @unknown default:
            return MalformedInput(file: file, line: line, problem: "\(error)")
        }
    }
}
