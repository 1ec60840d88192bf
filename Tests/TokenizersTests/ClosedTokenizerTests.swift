import Foundation
import Testing

@testable import Tokenizers

struct ClosedTokenizerTests {
    static let symbols = [
        "0", "1", "2", " ", " apple", " apples", " pear", "Alice", "Al", "café", "caf\u{65}\u{301}", "==", "===", "ana",
        "anana", "\n", "\"\\", "🙂🙂",
    ]
    static let texts = [
        "", "Alice 1 apple", " apples== pear", "====", "=======", "anananana", "café cafe\u{301}", "Al Alic", " appl 0",
        "210 \n\n",
        "\"\\\"", "🙂🙂🙂", "Alice apples 2=== anana\nAl pear",
    ]

    static func tokenizer() throws -> Tokenizer {
        try Tokenizer.closed(symbols: symbols, beginning: "<s>", end: "</s>", padding: "<pad>")
    }

    @Test func everySymbolIsOneToken() throws {
        let tokenizer = try Self.tokenizer()
        for symbol in Self.symbols {
            let id = try #require(tokenizer.id(of: symbol))
            #expect(try tokenizer.encode(symbol, addSpecialTokens: false) == [id])
            #expect(tokenizer.token(for: id) == symbol)
        }
    }

    @Test func idsFollowTheOrderGiven() throws {
        let tokenizer = try Tokenizer.closed(symbols: ["b", "a", "abc", "ac", "abd"], beginning: "<s>", end: "</s>")
        let tokens = (0..<Int32(tokenizer.vocabularySize)).map { tokenizer.token(for: $0) }
        #expect(tokens == ["<s>", "</s>", "b", "a", "c", "d", "ab", "abc", "ac", "abd"])
        #expect(tokenizer.beginning == 0)
        #expect(tokenizer.end == 1)
        #expect(tokenizer.padding == nil)
        #expect(tokenizer.addsBeginning)
        #expect(try tokenizer.encode("abc", addSpecialTokens: true) == [0, 7])
    }

    @Test func decodingIsConcatenation() throws {
        let tokenizer = try Self.tokenizer()
        for text in Self.texts {
            let ids = try tokenizer.encode(text, addSpecialTokens: true)
            #expect(ids.first == tokenizer.beginning)
            expectSame(try tokenizer.decode(ids, skipSpecialTokens: true), text)
            expectSame(try tokenizer.decode(ids, skipSpecialTokens: false), "<s>" + text)
        }
    }

    @Test func charactersOutsideTheVocabularyAreNamed() throws {
        let tokenizer = try Self.tokenizer()
        #expect(throws: TokenizerError.unknownCharacter("z", offset: 3)) {
            try tokenizer.encode("é1 z", addSpecialTokens: false)
        }
        #expect(throws: TokenizerError.unknownCharacter("z", offset: 8)) {
            try tokenizer.encode("</s>é1 1z", addSpecialTokens: false, matchesAddedTokens: true)
        }
    }

    @Test func symbolsThatShareBeginningsAreMergedWhateverTheOrder() throws {
        for symbols in [
            [" the", "the", "he", "e"], ["e", "he", "the", " the"], ["step", "tep", "ste", "te"],
            ["aaaa", "aa", "aab"],
        ] {
            let tokenizer = try Tokenizer.closed(symbols: symbols, beginning: "<s>", end: "</s>")
            for symbol in symbols {
                #expect(try tokenizer.encode(symbol, addSpecialTokens: false).count == 1, "\(symbol) of \(symbols)")
            }
        }
    }

    @Test func symbolsThatCannotBeAreRefused() throws {
        func closed(_ symbols: [String]) throws -> Tokenizer {
            try Tokenizer.closed(symbols: symbols, beginning: "<s>", end: "</s>")
        }
        #expect(throws: TokenizerError.self) { try closed(["a", ""]) }
        #expect(throws: TokenizerError.self) { try closed(["</s>"]) }
        #expect(throws: TokenizerError.self) { try closed(["</s>more"]) }
        #expect(throws: TokenizerError.self) { try closed(["test", "step"]) }
        #expect(throws: TokenizerError.self) { try Tokenizer.closed(symbols: ["a"], beginning: "x", end: "x") }
        _ = try closed([" test", " step"])
    }

    @Test func aTokenizerWrittenAndReadIsTheSame() throws {
        let tokenizer = try Self.tokenizer()
        try Fixture.withDirectory { directory in
            try tokenizer.save(to: directory)
            let other = try Tokenizer(directory: directory)
            #expect(other.tokens == tokenizer.tokens)
            #expect((other.beginning, other.end, other.padding) == (0, 1, 2))
            for text in Self.texts {
                #expect(
                    try other.encode(text, addSpecialTokens: true) == tokenizer.encode(text, addSpecialTokens: true))
            }
        }
    }

    private struct Case: Decodable {
        let text: String
        let ids: [Int32]
        let idsWithSpecial: [Int32]
        let decoded: String
        let decodedWithoutSpecial: String
    }

    /// The files under Fixtures/closed are what `save` writes; transformers made ids.json from them.
    @Test func transformersGivesTheSameIds() throws {
        let tokenizer = try Self.tokenizer()
        try Fixture.withDirectory { directory in
            try tokenizer.save(to: directory)
            for name in ["tokenizer.json", "tokenizer_config.json"] {
                #expect(
                    try Data(contentsOf: directory.appending(path: name))
                        == Data(contentsOf: Fixture.directory.appending(path: "closed/\(name)")), "\(name)")
            }
        }
        let cases = try Fixture.decode([Case].self, from: "closed/ids.json")
        #expect(cases.map(\.text) == Self.texts)
        for expected in cases {
            #expect(try tokenizer.encode(expected.text, addSpecialTokens: false) == expected.ids)
            #expect(try tokenizer.encode(expected.text, addSpecialTokens: true) == expected.idsWithSpecial)
            expectSame(try tokenizer.decode(expected.idsWithSpecial, skipSpecialTokens: false), expected.decoded)
            expectSame(
                try tokenizer.decode(expected.idsWithSpecial, skipSpecialTokens: true), expected.decodedWithoutSpecial)
        }
    }
}
