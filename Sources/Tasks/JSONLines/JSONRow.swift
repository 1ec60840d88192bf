import Files
import Foundation

/// One row of a JSON Lines file, and where it stands.
package struct JSONRow: Sendable {
    package let file: String
    /// From 1.
    package let line: Int
    private var object: JSONValue

    init(_ bytes: Data, file: String, line: Int) throws(MalformedInput) {
        self.file = file
        self.line = line
        do {
            object = try bytes.withUnsafeBytes { try JSONValue(parsing: $0, file: file) }
        } catch let error as FormatError {
            throw MalformedInput(file: file, line: line, problem: error.reason)
        } catch {
            throw MalformedInput(file: file, line: line, problem: "\(error)")
        }
        guard case .object(let members) = object else {
            throw MalformedInput(file: file, line: line, problem: "is \(object.kind), not a JSON object")
        }
        for member in members where CombiningMarks.areTooMany(in: member.value) {
            throw MalformedInput(
                file: file, line: line, field: member.name,
                problem: "has more than \(CombiningMarks.most) combining marks in a row; take them out")
        }
    }

    /// Where it stands, without its fields: for errors that are found later.
    package var place: JSONRow {
        var place = self
        place.object = .null
        return place
    }

    package func failure(_ field: String?, _ problem: String) -> MalformedInput {
        MalformedInput(file: file, line: line, field: field, problem: problem)
    }

    /// Null where the field is absent.
    package subscript(name: String) -> JSONValue { object[name] ?? .null }

    /// Nil where the field is absent or null.
    package func string(_ name: String) throws(MalformedInput) -> String? {
        switch self[name] {
        case .null: return nil
        case .string(let text): return text
        default: throw failure(name, "is \(self[name].kind), not a string")
        }
    }

    /// As `string`, but it must be there.
    package func requiredString(_ name: String) throws(MalformedInput) -> String {
        guard let text = try string(name) else { throw failure(name, "is missing") }
        return text
    }

    /// The text of a field that must be there; numbers as they are written, nil for null.
    func text(_ name: String) throws(MalformedInput) -> String? {
        switch try present(name) {
        case .null: return nil
        case .string(let text): return text
        case .integer(let number): return String(number)
        case .real(let number): return String(number)
        case .boolean, .array, .object: throw failure(name, "is neither a text nor a number")
        }
    }

    /// As `text`, but null and blank are errors.
    func requiredText(_ name: String) throws(MalformedInput) -> String {
        guard let text = try text(name), !text.allSatisfy(\.isWhitespace) else { throw failure(name, "is empty") }
        return text
    }

    /// One text, or a list of them, of a field that must be there; none for null. Blank ones are left out.
    func texts(_ name: String) throws(MalformedInput) -> [String] {
        var texts: [String] = []
        switch try present(name) {
        case .array(let elements):
            for element in elements {
                guard case .string(let text) = element else { throw failure(name, "has an element that is not a text") }
                texts.append(text)
            }
        case .object, .boolean: throw failure(name, "is neither a text nor a list of texts")
        default: texts = [try text(name)].compactMap { $0 }
        }
        return texts.filter { !$0.allSatisfy(\.isWhitespace) }
    }

    private func present(_ name: String) throws(MalformedInput) -> JSONValue {
        if let value = object[name] { return value }
        guard case .object(let members) = object else { return .null }
        throw failure(name, "is missing; the row has \(members.map(\.name).sorted().joined(separator: ", "))")
    }
}
