/// Tokens that are found in a text as a whole, before any splitting: special ones and those added to a vocabulary
/// later.
struct AddedTokens: Sendable {
    struct Token: Sendable {
        let id: Int32
        let content: String
        let isSpecial: Bool
        /// Found in the normalized text rather than in the text as it came.
        let isNormalized: Bool
    }

    /// A piece of a text.
    enum Piece {
        case text(String)
        case token(Int32)
    }

    let tokens: [Token]
    private let raw: [UInt8: [Pattern]]
    private let normalized: [UInt8: [Pattern]]

    private struct Pattern: Sendable {
        let bytes: [UInt8]
        let id: Int32
    }

    init(_ tokens: [Token], normalizer: Normalizer) {
        self.tokens = tokens
        raw = Self.patterns(tokens.filter { !$0.isNormalized }) { $0 }
        normalized = Self.patterns(tokens.filter(\.isNormalized)) { normalizer($0) }
    }

    /// By first byte, longest first.
    private static func patterns(_ tokens: [Token], content: (String) -> String) -> [UInt8: [Pattern]] {
        let patterns = tokens.map { Pattern(bytes: Array(content($0.content).utf8), id: $0.id) }
        let usable = patterns.filter { !$0.bytes.isEmpty }.sorted { $0.bytes.count > $1.bytes.count }
        return Dictionary(grouping: usable) { $0.bytes[0] }
    }

    /// Splits before normalization.
    func splitRaw(_ text: String) -> [Piece] {
        Self.split(text, by: raw)
    }

    /// Splits what normalization gave.
    func splitNormalized(_ text: String) -> [Piece] {
        Self.split(text, by: normalized)
    }

    /// The leftmost match counts, the longest among those that start there.
    private static func split(_ text: String, by patterns: [UInt8: [Pattern]]) -> [Piece] {
        guard !patterns.isEmpty else { return text.isEmpty ? [] : [.text(text)] }
        let bytes = Array(text.utf8)
        var pieces: [Piece] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            if let match = patterns[bytes[index]]?.first(where: { bytes[index...].starts(with: $0.bytes) }) {
                if start < index { pieces.append(.text(String(decoding: bytes[start..<index], as: UTF8.self))) }
                pieces.append(.token(match.id))
                index += match.bytes.count
                start = index
            } else {
                index += 1
            }
        }
        if start < bytes.count { pieces.append(.text(String(decoding: bytes[start...], as: UTF8.self))) }
        return pieces
    }
}
