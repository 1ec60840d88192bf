import Files

/// The merges of a vocabulary in the order of their ranks, from tokenizer.json or merges.txt.
enum MergeList {
    case field([JSONValue], JSONField)
    case lines([(number: Int, text: Substring)], file: String)

    /// Reads `model.merges` of tokenizer.json.
    init(_ field: JSONField) throws {
        guard case .array(let merges) = field.value else {
            throw field.failure("expected a list, found \(field.value.kind)")
        }
        self = .field(merges, field)
    }

    /// Reads merges.txt: a merge a line, after lines that start with `#version`.
    init(text: String, file: String) {
        var lines: [(number: Int, text: Substring)] = []
        for (index, bytes) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        {
            let line = Substring(bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes)
            if !line.utf8.isEmpty, !line.utf8.starts(with: "#version".utf8) { lines.append((index + 1, line)) }
        }
        self = .lines(lines, file: file)
    }

    var count: Int {
        switch self {
        case .field(let merges, _): merges.count
        case .lines(let lines, _): lines.count
        }
    }

    func failure(_ rank: Int, _ reason: String) -> FormatError {
        switch self {
        case .field(_, let field): FormatError(file: field.file, field: "\(field.path)[\(rank)]", reason: reason)
        case .lines(let lines, let file): FormatError(file: file, field: "line \(lines[rank].number)", reason: reason)
        }
    }

    /// A merge is `["left", "right"]` or, in older files and in merges.txt, `left right`.
    func parts(_ rank: Int) throws -> (Substring, Substring) {
        switch self {
        case .field(let merges, _):
            switch merges[rank] {
            case .string(let text): return try split(Substring(text), rank)
            case .array(let parts):
                guard parts.count == 2, case .string(let left) = parts[0], case .string(let right) = parts[1] else {
                    throw failure(rank, "expected two tokens")
                }
                return (Substring(left), Substring(right))
            default: throw failure(rank, "expected two tokens, found \(merges[rank].kind)")
            }
        case .lines(let lines, _): return try split(lines[rank].text, rank)
        }
    }

    private func split(_ text: Substring, _ rank: Int) throws -> (Substring, Substring) {
        let parts = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw failure(rank, "expected two tokens joined by a space")
        }
        return (Substring(parts[0]), Substring(parts[1]))
    }
}
