import Foundation
import Testing
import Tokenizers

/// A SentencePiece-style tokenizer with byte fallback, against the `tokenizers` library
/// (Tools/fixtures/tokenizer_cases.py).
@Suite(.enabled(if: Fixture.hasStories, "the shared data with the weights of stories260K is absent"))
struct StoriesTokenizerTests {
    private struct Cases: Decodable {
        let cases: [EncodingCase]
        let sequences: [DecodingCase]
    }

    private struct Published: Decodable {
        let ids: [Int32]
        let text: String

        private enum CodingKeys: String, CodingKey {
            case ids = "greedy_ids_200"
            case text = "greedy_200_steps_from_BOS"
        }
    }

    @Test func idsAndTextsAreThoseOfTheLibrary() throws {
        let tokenizer = try Tokenizer(directory: Fixture.stories)
        for expected in try Fixture.decode(Cases.self, from: "stories260K.json").cases {
            let ids = try tokenizer.encode(expected.text, addSpecialTokens: false)
            #expect(ids == expected.ids, "\(expected.text)")
            #expect(
                try tokenizer.encode(expected.text, addSpecialTokens: false, matchesAddedTokens: true)
                    == expected.matchedIDs)
            expectSame(try tokenizer.decode(ids, skipSpecialTokens: false), expected.decoded)
            expectSame(try tokenizer.decode(ids, skipSpecialTokens: true), expected.decodedWithoutSpecial)
        }
    }

    @Test func decodingAnyIdsGivesTheLibrarysText() throws {
        let tokenizer = try Tokenizer(directory: Fixture.stories)
        for expected in try Fixture.decode(Cases.self, from: "stories260K.json").sequences {
            expectSame(try tokenizer.decode(expected.ids, skipSpecialTokens: false), expected.decoded)
            expectSame(try tokenizer.decode(expected.ids, skipSpecialTokens: true), expected.decodedWithoutSpecial)
        }
    }

    @Test func piecesPutTogetherAreTheWhole() throws {
        let tokenizer = try Tokenizer(directory: Fixture.stories)
        for expected in try Fixture.decode(Cases.self, from: "stories260K.json").sequences {
            var decoder = IncrementalDecoder(tokenizer, skipSpecialTokens: false)
            let pieces = try expected.ids.map { try decoder.append($0) } + [decoder.finish()]
            expectSame(pieces.joined(), expected.decoded)
        }
    }

    @Test func noPieceHoldsHalfACharacter() throws {
        let tokenizer = try Tokenizer(directory: Fixture.stories)
        let text = "é日🙂 a🙂🙂b"
        var decoder = IncrementalDecoder(tokenizer, skipSpecialTokens: true)
        var pieces: [String] = []
        for id in try tokenizer.encode(text, addSpecialTokens: true) { pieces.append(try decoder.append(id)) }
        pieces.append(decoder.finish())
        #expect(pieces.joined() == text)
        #expect(!pieces.contains { $0.unicodeScalars.contains("\u{fffd}") })
    }

    @Test func publishedGreedyIdsGiveThePublishedText() throws {
        let tokenizer = try Tokenizer(directory: Fixture.stories)
        let data = try Data(contentsOf: Fixture.stories.appending(path: "stories260K.expected.json"))
        let published = try JSONDecoder().decode(Published.self, from: data)
        // The ids start with <s>; the text goes one step further, to the token after the last of them.
        let next = try #require(tokenizer.id(of: "▁she"))
        let text = try tokenizer.decode(published.ids + [next], skipSpecialTokens: true)
        expectSame(text, published.text)
    }

    @Test func specialTokensComeFromTheConfiguration() throws {
        let tokenizer = try Tokenizer(directory: Fixture.stories)
        #expect(tokenizer.vocabularySize == 512)
        #expect(tokenizer.beginning == 1)
        #expect(tokenizer.end == 2)
        #expect(tokenizer.padding == nil)
        #expect(tokenizer.addsBeginning)
        #expect(tokenizer.token(for: 1) == "<s>")
        #expect(tokenizer.id(of: "</s>") == 2)
        #expect(tokenizer.token(for: 512) == nil)
        #expect(tokenizer.token(for: -1) == nil)
        #expect(try tokenizer.encode("Once", addSpecialTokens: true) == [1, 403])
        #expect(try tokenizer.encode("", addSpecialTokens: true) == [1])
    }

    @Test func idsOutOfRangeAreRefused() throws {
        let tokenizer = try Tokenizer(directory: Fixture.stories)
        for id: Int32 in [-1, 512, .max, .min] {
            #expect(throws: TokenizerError.unknownToken(id, vocabularySize: 512)) {
                try tokenizer.decode([403, id], skipSpecialTokens: true)
            }
        }
    }

    @Test func savingCopiesTheBytes() throws {
        let tokenizer = try Tokenizer(directory: Fixture.stories)
        try Fixture.withDirectory { directory in
            try tokenizer.save(to: directory)
            for name in ["tokenizer.json", "tokenizer_config.json"] {
                #expect(
                    try Data(contentsOf: directory.appending(path: name))
                        == Data(contentsOf: Fixture.stories.appending(path: name)))
            }
        }
    }

    /// Merging that is quadratic would take minutes here.
    @Test func longTextsAreEncodedQuickly() throws {
        let tokenizer = try Tokenizer(directory: Fixture.stories)
        let run = String(repeating: "the", count: 100_000)
        #expect(try tokenizer.decode(tokenizer.encode(run, addSpecialTokens: false), skipSpecialTokens: false) == run)
        let text = String(repeating: "there was a little girl named Lily. ", count: 20_000)
        let ids = try tokenizer.encode(text, addSpecialTokens: false)
        #expect(try tokenizer.decode(ids, skipSpecialTokens: false) == text)
    }
}
