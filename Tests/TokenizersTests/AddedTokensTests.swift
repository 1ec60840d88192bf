import TestSupport
import Testing

@testable import Tokenizers

/// Added tokens in a text.
struct AddedTokensTests {
    private enum Found: Equatable {
        case text(Range<Int>)
        case token(Int32, Range<Int>)
    }

    private static func split(_ text: String, by tokens: [AddedTokens.Token]) -> [Found] {
        var text = text
        return text.withUTF8 { bytes in
            AddedTokens(tokens, normalizer: Normalizer()).splitRaw(bytes).map { piece in
                switch piece {
                case .text(let range): .text(range)
                case .token(let id, let range): .token(id, range)
                }
            }
        }
    }

    private static func token(_ id: Int, _ content: String, isSpecial: Bool = true) -> AddedTokens.Token {
        AddedTokens.Token(id: Int32(id), content: content, isSpecial: isSpecial, isNormalized: false)
    }

    /// The leftmost match, the longest of those: found by trying every token at every place.
    private static func reference(_ text: String, _ tokens: [AddedTokens.Token]) -> [Found] {
        let bytes = Array(text.utf8)
        let ordered = tokens.filter(\.isSpecial) + tokens.filter { !$0.isSpecial }
        var found: [Found] = []
        var (start, index) = (0, 0)
        while index < bytes.count {
            var best: AddedTokens.Token?
            for token in ordered where !token.content.isEmpty && bytes[index...].starts(with: token.content.utf8) {
                if token.content.utf8.count > best?.content.utf8.count ?? 0 { best = token }
            }
            guard let best else {
                index += 1
                continue
            }
            var range = index..<index + best.content.utf8.count
            index = range.upperBound
            func isSpace(_ index: Int) -> Bool { bytes.indices.contains(index) && bytes[index] == 0x20 }
            if best.stripsLeft {
                while range.lowerBound > start, isSpace(range.lowerBound - 1) {
                    range = range.lowerBound - 1..<range.upperBound
                }
            }
            if best.stripsRight { while isSpace(range.upperBound) { range = range.lowerBound..<range.upperBound + 1 } }
            if start < range.lowerBound { found.append(.text(start..<range.lowerBound)) }
            found.append(.token(best.id, range))
            start = range.upperBound
        }
        return start < bytes.count ? found + [.text(start..<bytes.count)] : found
    }

    @Test func theLeftmostAndLongestIsFound() {
        var generator = SeededGenerator(seed: 11)
        func text(_ letters: [String], upTo length: UInt64) -> String {
            (0..<generator.next() % (length + 1)).map { _ in letters[Int(generator.next() % UInt64(letters.count))] }
                .joined()
        }
        for _ in 0..<3000 {
            let tokens = (0..<Int(generator.next() % 12)).map { number in
                var token = Self.token(
                    number, text(["a", "b", "é", " ", "aa"], upTo: 5), isSpecial: generator.next() % 2 == 0)
                token.stripsLeft = generator.next() % 4 == 0
                token.stripsRight = generator.next() % 4 == 0
                return token
            }
            let text = text(["a", "b", "é", " ", "  ", "è"], upTo: 30)
            #expect(Self.split(text, by: tokens) == Self.reference(text, tokens), "\(text.debugDescription) \(tokens)")
        }
    }

    /// Neither every token is compared at every place nor all spaces are gone through at each: that would take hours.
    @Test func manyTokensAndSpacesCostLittle() {
        let tokens = (0..<200_000).map { Self.token($0, "<\($0)>") }
        let text = String(repeating: "<<7>", count: 200_000)
        #expect(Self.split(text, by: tokens).count == 400_000)
        var space = Self.token(1, " ")
        space.stripsLeft = true
        space.stripsRight = true
        let spaces = 1_000_000
        let found = Self.split(String(repeating: " ", count: spaces), by: [space])
        #expect(found.count == spaces && found.first == .token(1, 0..<spaces))
    }
}
