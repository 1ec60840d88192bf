/// The `id` of a row, echoed as it came: a string or a whole number.
enum RowIdentifier: Sendable, Encodable, Hashable, CustomStringConvertible {
    case text(String)
    case number(Int)

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        }
    }

    var description: String {
        switch self {
        case .text(let text): text
        case .number(let number): String(number)
        }
    }
}
