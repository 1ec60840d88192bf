import Files

/// The tokens of a vocabulary and their ids.
struct Vocabulary {
    /// Ids above this are taken for a mistake: every id up to the largest costs memory.
    static let largestID = 1 << 24

    /// The token of every id, nil where an id is free.
    private(set) var tokens: [String?] = []
    private(set) var ids: [ExactString: Int32] = [:]

    /// Reads an object from tokens to ids.
    init(_ field: JSONField) throws {
        guard case .object(let members) = field.value else {
            throw field.failure("expected an object, found \(field.value.kind)")
        }
        tokens.reserveCapacity(members.count)
        ids.reserveCapacity(members.count)
        for member in members {
            func own() -> JSONField {
                JSONField(
                    file: field.file, path: field.path.isEmpty ? member.name : "\(field.path).\(member.name)",
                    value: member.value)
            }
            guard case .integer(let id) = member.value else { throw own().expectedInteger() }
            try add(member.name, id: id, own())
        }
    }

    mutating func add(_ token: String, id: Int, _ field: @autoclosure () -> JSONField) throws {
        guard 0...Self.largestID ~= id else {
            throw field().failure("the id \(id) is not between 0 and \(Self.largestID)")
        }
        if id >= tokens.count { tokens += repeatElement(nil, count: id + 1 - tokens.count) }
        if let other = tokens[id], ExactString(other) != ExactString(token) {
            throw field().failure("the id \(id) is that of \"\(other)\" already")
        }
        if let other = ids.updateValue(Int32(id), forKey: ExactString(token)), other != Int32(id) {
            throw field().failure("\"\(token)\" has the id \(other) already")
        }
        tokens[id] = token
    }
}
