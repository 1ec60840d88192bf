/// Tokens that are found in a text as a whole, before any splitting: special ones and those added to a vocabulary
/// later.
struct AddedTokens: Sendable {
    struct Token: Sendable {
        let id: Int32
        let content: String
        let isSpecial: Bool
        /// Found in the normalized text rather than in the text as it came.
        let isNormalized: Bool
        /// Found only where no letter, digit, mark or underscore touches it.
        var isWord = false
        /// Takes the spaces before it, or after it.
        var stripsLeft = false
        var stripsRight = false
    }

    /// A piece of a text.
    enum Piece {
        case text(Range<Int>)
        case token(Int32, Range<Int>)
    }

    private let raw: Patterns
    private let normalized: Patterns

    init(_ tokens: [Token], normalizer: Normalizer) {
        // Where two have the same content, a special one is found.
        let ordered = tokens.filter(\.isSpecial) + tokens.filter { !$0.isSpecial }
        raw = Patterns(ordered.filter { !$0.isNormalized }) { $0 }
        normalized = Patterns(ordered.filter(\.isNormalized)) { normalizer($0) }
    }

    /// Splits before normalization.
    func splitRaw(_ bytes: UnsafeBufferPointer<UInt8>) -> [Piece] {
        raw.split(bytes)
    }

    /// Splits what normalization gave.
    func splitNormalized(_ bytes: UnsafeBufferPointer<UInt8>) -> [Piece] {
        normalized.split(bytes)
    }
}

extension AddedTokens {
    private struct Patterns: Sendable {
        private struct Pattern: Sendable {
            let bytes: [UInt8]
            let token: Token
        }

        /// By first byte, longest first.
        private var patterns: [[Pattern]] = Array(repeating: [], count: 256)
        /// Whether a pattern starts with a byte.
        private var starts: [Bool] = Array(repeating: false, count: 256)

        init(_ tokens: [Token], content: (String) -> String) {
            for token in tokens {
                let bytes = Array(content(token.content).utf8)
                guard let first = bytes.first else { continue }
                starts[Int(first)] = true
                let list = patterns[Int(first)]
                let index = list.firstIndex { $0.bytes.count < bytes.count } ?? list.count
                patterns[Int(first)].insert(Pattern(bytes: bytes, token: token), at: index)
            }
        }

        /// The leftmost match counts, the longest among those that start there; one that turns out not to be a word
        /// still hides others within it.
        func split(_ bytes: UnsafeBufferPointer<UInt8>) -> [Piece] {
            guard starts.contains(true) else { return bytes.isEmpty ? [] : [.text(0..<bytes.count)] }
            var pieces: [Piece] = []
            var start = 0
            var index = 0
            while index < bytes.count {
                guard starts[Int(bytes[index])], let match = match(bytes, at: index) else {
                    index += 1
                    continue
                }
                var range = index..<index + match.bytes.count
                index = range.upperBound
                if match.token.isWord, Boundary.touchesWord(bytes, range) { continue }
                if match.token.stripsLeft {
                    let left = Boundary.spacesStart(bytes, before: range.lowerBound)
                    range = max(left, min(start, range.lowerBound))..<range.upperBound
                }
                if match.token.stripsRight {
                    range = range.lowerBound..<Boundary.spacesEnd(bytes, after: range.upperBound)
                }
                if start < range.lowerBound { pieces.append(.text(start..<range.lowerBound)) }
                pieces.append(.token(match.token.id, range))
                start = range.upperBound
            }
            if start < bytes.count { pieces.append(.text(start..<bytes.count)) }
            return pieces
        }

        private func match(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Pattern? {
            patterns[Int(bytes[index])].first { bytes[index...].starts(with: $0.bytes) }
        }
    }

    /// What touches a match.
    private enum Boundary {
        static func touchesWord(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
            if range.lowerBound > 0, isWord(UTF8Scalar(bytes, endingAt: range.lowerBound)) { return true }
            return range.upperBound < bytes.count && isWord(UTF8Scalar(bytes, at: range.upperBound))
        }

        /// `\w` of Unicode Technical Standard 18.
        private static func isWord(_ scalar: UTF8Scalar) -> Bool {
            guard let scalar = Unicode.Scalar(scalar.value) else { return false }
            switch scalar.properties.generalCategory {
            case .decimalNumber, .connectorPunctuation, .nonspacingMark, .spacingMark, .enclosingMark: return true
            default: return scalar.properties.isAlphabetic || scalar.properties.isJoinControl
            }
        }

        static func spacesStart(_ bytes: UnsafeBufferPointer<UInt8>, before end: Int) -> Int {
            var start = end
            while start > 0 {
                let scalar = UTF8Scalar(bytes, endingAt: start)
                guard CharacterClass.table[scalar.value] == .space else { break }
                start -= scalar.length
            }
            return start
        }

        static func spacesEnd(_ bytes: UnsafeBufferPointer<UInt8>, after start: Int) -> Int {
            var end = start
            while end < bytes.count {
                let scalar = UTF8Scalar(bytes, at: end)
                guard CharacterClass.table[scalar.value] == .space else { break }
                end += scalar.length
            }
            return end
        }
    }
}
