/// What encoding, decoding or building a vocabulary can refuse.
public enum TokenizerError: Error, Hashable, CustomStringConvertible {
    /// The vocabulary has no token for a character; `offset` counts Unicode scalars from the start of the text, from 0.
    case unknownCharacter(Unicode.Scalar, offset: Int)
    /// No token has this id.
    case unknownToken(Int32, vocabularySize: Int)
    /// A symbol that a closed vocabulary cannot hold.
    case impossibleSymbol(String, reason: String)

    public var description: String {
        switch self {
        case .unknownCharacter(let character, let offset):
            "the vocabulary has no token for the character \"\(character)\" "
                + "(U+\(String(character.value, radix: 16, uppercase: true))) at offset \(offset)"
        case .unknownToken(let id, let size): "no token has the id \(id) (the vocabulary has ids from 0 to \(size - 1))"
        case .impossibleSymbol(let symbol, let reason): "the symbol \"\(symbol)\" \(reason)"
        }
    }
}
