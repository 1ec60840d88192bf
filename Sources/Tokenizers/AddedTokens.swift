/// Tokens that are found in a text as a whole, before any splitting: special ones and those added to a vocabulary
/// later.
struct AddedTokens: Sendable {
    /// UTF-8 bytes: so many may have to be compared at every place of a text.
    static let longestContent = 1 << 10

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

        /// In the order of their bytes, no two alike.
        private var patterns: [Pattern] = []
        /// The patterns that start with each byte.
        private var starts: [Range<Int>] = Array(repeating: 0..<0, count: 256)

        init(_ tokens: [Token], content: (String) -> String) {
            let given = tokens.enumerated().map { (number: $0, bytes: Array(content($1.content).utf8), token: $1) }
            let sorted = given.filter { !$0.bytes.isEmpty }.sorted {
                $0.bytes == $1.bytes ? $0.number < $1.number : $0.bytes.lexicographicallyPrecedes($1.bytes)
            }
            for (_, bytes, token) in sorted where patterns.last?.bytes != bytes {
                let first = Int(bytes[0])
                let start = starts[first].isEmpty ? patterns.count : starts[first].lowerBound
                patterns.append(Pattern(bytes: bytes, token: token))
                starts[first] = start..<patterns.count
            }
        }

        /// The leftmost match counts, the longest among those that start there; one that turns out not to be a word
        /// still hides others within it.
        func split(_ bytes: UnsafeBufferPointer<UInt8>) -> [Piece] {
            guard !patterns.isEmpty else { return bytes.isEmpty ? [] : [.text(0..<bytes.count)] }
            var pieces: [Piece] = []
            var start = 0
            var index = 0
            /// The spaces after a match that were looked at last: matches within them end where they do.
            var spaces = 0..<0
            while index < bytes.count {
                guard !starts[Int(bytes[index])].isEmpty, let match = match(bytes, at: index) else {
                    index += 1
                    continue
                }
                var range = index..<index + match.bytes.count
                index = range.upperBound
                if match.token.isWord, Boundary.touchesWord(bytes, range) { continue }
                if match.token.stripsLeft {
                    let left = Boundary.spacesStart(bytes, in: min(start, range.lowerBound)..<range.lowerBound)
                    range = left..<range.upperBound
                }
                if match.token.stripsRight {
                    if !spaces.contains(index) { spaces = index..<Boundary.spacesEnd(bytes, after: index) }
                    range = range.lowerBound..<max(index, spaces.upperBound)
                }
                if start < range.lowerBound { pieces.append(.text(start..<range.lowerBound)) }
                pieces.append(.token(match.token.id, range))
                start = range.upperBound
            }
            if start < bytes.count { pieces.append(.text(start..<bytes.count)) }
            return pieces
        }

        /// The longest pattern that the bytes from `index` on begin with: a look at every byte of it, not at every pattern.
        private func match(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Pattern? {
            var candidates = starts[Int(bytes[index])]
            var best: Int?
            var length = 1
            // All candidates begin with the first `length` bytes; one that has no more comes first.
            while !candidates.isEmpty {
                if patterns[candidates.lowerBound].bytes.count == length {
                    best = candidates.lowerBound
                    candidates.removeFirst()
                }
                guard index + length < bytes.count else { break }
                let next = bytes[index + length]
                let lower = first(in: candidates) { $0.bytes[length] >= next }
                candidates = lower..<first(in: lower..<candidates.upperBound) { $0.bytes[length] > next }
                length += 1
            }
            return best.map { patterns[$0] }
        }

        /// The first pattern of a range that holds, where all after it do; the range's end where none does.
        private func first(in range: Range<Int>, where holds: (Pattern) -> Bool) -> Int {
            var (lower, upper) = (range.lowerBound, range.upperBound)
            while lower < upper {
                let middle = (lower + upper) / 2
                if holds(patterns[middle]) { upper = middle } else { lower = middle + 1 }
            }
            return lower
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

        /// Where the spaces begin that a range ends with.
        static func spacesStart(_ bytes: UnsafeBufferPointer<UInt8>, in range: Range<Int>) -> Int {
            var start = range.upperBound
            while start > range.lowerBound {
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
