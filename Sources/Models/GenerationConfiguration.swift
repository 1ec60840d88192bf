import Files
import Foundation

/// generation_config.json, which transformers' `generate` goes by. A model that comes of another keeps what it says.
public struct GenerationConfiguration: Sendable {
    private static let name = "generation_config.json"
    private static let endName = "eos_token_id"

    /// Each ends a completion.
    public private(set) var endTokens: [Int32]
    private var members: [JSONValue.Member]
    /// The file that was read, until something is changed.
    private var text: Data?

    /// Of a model that has no such file: its tokens.
    public init(_ configuration: ModelConfiguration) {
        endTokens = []
        members = []
        for (name, token) in [
            ("bos_token_id", configuration.beginningToken), ("pad_token_id", configuration.paddingToken),
        ] {
            if let token { members.append(JSONValue.Member(name: name, value: .integer(Int(token)))) }
        }
        end(at: configuration.endTokens)
    }

    /// The file of a model's directory; nil where it has none.
    ///
    /// Throws `FormatError` naming the file and the field.
    public init?(directory: URL) throws {
        let url = directory.appending(path: Self.name)
        guard InputFile.isPresent(url) else { return nil }
        let data = try FormatError.naming { () throws(FileError) in
            try InputFile.data(url, limit: InputFile.largestSettings)
        }
        let root = JSONField(
            file: url.path, value: try data.withUnsafeBytes { try JSONValue(parsing: $0, file: url.path) })
        guard case .object(let members) = root.value else {
            throw root.failure("expected an object, found \(root.value.kind)")
        }
        self.members = members
        text = data
        endTokens = try Self.endTokens(root[Self.endName])
    }

    /// One id, or a list of ids.
    private static func endTokens(_ field: JSONField) throws -> [Int32] {
        try field.oneOrSeveral().map { field in
            guard let token = Int32(exactly: try field.integer()), token >= 0 else {
                throw field.failure("is no token id")
            }
            return token
        }
    }

    /// Makes all of these tokens end a completion, beside those that do. Nothing else is changed.
    public mutating func end(at tokens: [Int32]) {
        var all = endTokens
        for token in tokens where !all.contains(token) { all.append(token) }
        guard all != endTokens else { return }
        endTokens = all
        text = nil
        let member = JSONValue.Member(name: Self.endName, value: .array(all.map { .integer(Int($0)) }))
        if let index = members.firstIndex(where: { $0.name == Self.endName }) {
            members[index] = member
        } else {
            members.append(member)
        }
    }

    /// Writes the file into a directory, whole or not at all: byte for byte as it was read where nothing is changed.
    func save(to directory: URL) throws {
        let data = text ?? Data((JSONValue.object(members).text + "\n").utf8)
        try data.write(inPlaceOf: directory.appending(path: Self.name))
    }
}
