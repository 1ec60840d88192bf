import Models
import Yams

/// A decoding error in words.
enum DecodingProblem {
    /// The key's path, and what is wrong with its value.
    ///
    /// - Parameters:
    ///   - choices: the values of keys that take few, by dotted path without the places in lists.
    ///   - found: the value at a path as it is written, where that is known.
    static func describe(
        _ error: DecodingError, choices: [String: [String]] = RunConfiguration.choices,
        found: (_ path: [String]) -> String? = { _ in nil }
    ) -> (path: [String], reason: String) {
        switch error {
        case .typeMismatch(let type, let context):
            let path = names(context.codingPath)
            return (path, "is \(prefix(found(path)))not \(kind(of: type))")
        case .valueNotFound(let type, let context):
            return (names(context.codingPath), "has no value; it takes \(kind(of: type))")
        case .keyNotFound(let key, let context):
            return (names(context.codingPath) + [key.stringValue], "is missing")
        case .dataCorrupted(let context):
            let path = names(context.codingPath)
            return (path, reason(path, context.debugDescription, choices, found(path)))
        @unknown default:
            return ([], "\(error)")
        }
    }

    /// What was found, where it is known, before what is said of it.
    private static func prefix(_ found: String?) -> String { found.map { "“\($0)”, " } ?? "" }

    private static func names(_ path: [any CodingKey]) -> [String] {
        path.map { $0.intValue.map(String.init) ?? $0.stringValue }
    }

    private static func reason(
        _ path: [String], _ text: String, _ choices: [String: [String]], _ found: String?
    ) -> String {
        let key = path.filter { Int($0) == nil }.joined(separator: ".")
        let value = prefix(found)
        if RunConfiguration.ranges.contains(key) { return "is \(value)not a least and a most, in this order" }
        // What decoders say of a name that is none of an enumeration's.
        if let opening = text.range(of: " from invalid String value ") {
            let given = text[opening.upperBound...]
            let known = choices[key].map { " is none of \($0.joined(separator: ", "))" } ?? ""
            return "is not among the values it takes: “\(given)”" + known
        }
        return "is \(value)not a value it takes"
    }

    private static func kind(of type: any Any.Type) -> String {
        switch type {
        case is Node.Scalar.Type: "a single value"
        case is Node.Sequence.Type: "a list"
        case is Node.Mapping.Type: "a mapping of keys"
        default: DecodingError.kind(of: type)
        }
    }
}
