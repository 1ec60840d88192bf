import Yams

/// A decoding error in words.
enum DecodingProblem {
    /// The key's path, and what is wrong with its value.
    static func describe(_ error: DecodingError) -> (path: [String], reason: String) {
        switch error {
        case .typeMismatch(let type, let context):
            (names(context.codingPath), "is not \(kind(of: type))")
        case .valueNotFound(let type, let context):
            (names(context.codingPath), "has no value; it takes \(kind(of: type))")
        case .keyNotFound(let key, let context):
            (names(context.codingPath) + [key.stringValue], "is missing")
        case .dataCorrupted(let context):
            (names(context.codingPath), reason(names(context.codingPath), context.debugDescription))
        @unknown default:
            ([], "\(error)")
        }
    }

    private static func names(_ path: [any CodingKey]) -> [String] {
        path.map { $0.intValue.map(String.init) ?? $0.stringValue }
    }

    private static func reason(_ path: [String], _ text: String) -> String {
        let key = path.filter { Int($0) == nil }.joined(separator: ".")
        if RunConfiguration.ranges.contains(key) { return "is not a least and a most, in this order" }
        guard let choices = RunConfiguration.choices[key] else { return "is not a value it takes (\(text))" }
        let given = text.split(separator: " ").last ?? ""
        return "is not among the values it takes: “\(given)” is none of \(choices.joined(separator: ", "))"
    }

    private static func kind(of type: any Any.Type) -> String {
        switch type {
        case is Int.Type, is UInt64.Type: "a whole number"
        case is Double.Type, is Float.Type: "a number"
        case is Bool.Type: "true or false"
        case is String.Type: "text"
        case is Node.Scalar.Type: "a single value"
        case is Node.Sequence.Type: "a list"
        case is Node.Mapping.Type: "a mapping of keys"
        default: "of the kind \(type)"
        }
    }
}
