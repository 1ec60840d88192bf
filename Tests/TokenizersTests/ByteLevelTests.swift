import Files
import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// Small tokenizers of many kinds, and Qwen2.5's, against the `tokenizers` library
/// (Tools/fixtures/byte_level_cases.py).
struct ByteLevelTests {
    struct Cases: Decodable {
        let cases: [Encoding]
        let sequences: [Decoding]
    }

    struct Variant: Decodable {
        let name: String
        let file: String
        let cases: [Encoding]
        let sequences: [Decoding]
    }

    /// A text; its ids with added tokens not matched, matched, and with special tokens around.
    struct Encoding: Decodable {
        let text: String
        let ids: [[Int32]]

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            text = try container.decode(String.self)
            ids = try (0..<3).map { _ in try container.decode([Int32].self) }
        }
    }

    /// Ids, their text, and that without special tokens.
    struct Decoding: Decodable {
        let ids: [Int32]
        let texts: [String]

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            ids = try container.decode([Int32].self)
            texts = try (0..<2).map { _ in try container.decode(String.self) }
        }
    }

    static func check(_ tokenizer: Tokenizer, _ name: String, _ cases: [Encoding], _ sequences: [Decoding])
        throws
    {
        for expected in cases {
            let text = expected.text
            let found = try [
                tokenizer.encode(text, addSpecialTokens: false),
                tokenizer.encode(text, addSpecialTokens: false, matchesAddedTokens: true),
                tokenizer.encode(text, addSpecialTokens: true, matchesAddedTokens: true),
            ]
            #expect(found == expected.ids, "\(name): \(text.debugDescription)")
        }
        for expected in sequences {
            for (text, skips) in zip(expected.texts, [false, true]) {
                expectSame(try tokenizer.decode(expected.ids, skipSpecialTokens: skips), text)
                var decoder = IncrementalDecoder(tokenizer, skipSpecialTokens: skips)
                let pieces = try expected.ids.map { try decoder.append($0) } + [decoder.finish()]
                expectSame(pieces.joined(), text)
            }
        }
    }

    @Test func idsAndTextsAreThoseOfTheLibrary() throws {
        for variant in try Fixture.decode([Variant].self, from: "byteLevel.json") {
            let tokenizer = try TokenizerVariantTests.tokenizer(variant.file)
            try Self.check(tokenizer, variant.name, variant.cases, variant.sequences)
        }
    }

    @Test(.enabled(if: Fixture.hasQwen, "the shared data with the files of Qwen2.5 is absent"))
    func idsAndTextsOfQwenAreThoseOfTheLibrary() throws {
        let expected = try Fixture.decode(Cases.self, from: "qwen2.json")
        try Self.check(Fixture.qwenTokenizer.get(), "Qwen2.5", expected.cases, expected.sequences)
    }

    @Test func composedFormsAreThoseOfTheLibrary() throws {
        for pair in try Fixture.decode([[String]].self, from: "composedForm.json") {
            expectSame(ComposedForm.shared(pair[0]), pair[1])
        }
    }

    @Test func composingIsIdempotentAndKeepsWhatIsComposed() {
        for text in ["", "plain text", "日本語 é ü 한글 हिन्दी", "\u{0}"] { expectSame(ComposedForm.shared(text), text) }
        expectSame(ComposedForm.shared("e\u{301}x A\u{30a}"), "\u{e9}x \u{c5}")
        // More marks than any letter has; sorting them must not take quadratic time.
        let marks = "a" + String(repeating: "\u{323}\u{301}", count: 50_000)
        let composed = ComposedForm.shared(marks)
        expectSame(ComposedForm.shared(composed), composed)
    }

    /// Every scalar is letter, number, space or other, and a word's end never splits one.
    @Test(arguments: WordPattern.allCases)
    func wordsCoverTheText(pattern: WordPattern) throws {
        for expected in try Fixture.decode([[String]].self, from: "composedForm.json") {
            var text = expected[0]
            text.withUTF8 { bytes in
                let scanner = WordScanner(bytes, end: bytes.count, pattern: pattern)
                var start = 0
                while start < bytes.count {
                    let end = scanner.wordEnd(from: start)
                    #expect(end > start && end <= bytes.count)
                    #expect(end == bytes.count || bytes[end] & 0xc0 != 0x80)
                    start = max(end, start + 1)
                }
            }
        }
    }

    @Test func noPieceHoldsHalfACharacter() throws {
        let variants = try Fixture.decode([Variant].self, from: "byteLevel.json")
        let tokenizer = try TokenizerVariantTests.tokenizer(#require(variants.first).file)
        let text = "é日🙂 a🙂🙂b क्षत्रिय"
        let ids = try tokenizer.encode(text, addSpecialTokens: false)
        #expect(ids.count > text.unicodeScalars.count)
        var decoder = IncrementalDecoder(tokenizer, skipSpecialTokens: true)
        let pieces = try ids.map { try decoder.append($0) } + [decoder.finish()]
        expectSame(pieces.joined(), text)
        #expect(!pieces.contains { $0.unicodeScalars.contains("\u{fffd}") })
    }

    /// What a cut character leaves behind comes out at the end, as the library has it.
    @Test func halfACharacterAtTheEndIsReplaced() throws {
        let variants = try Fixture.decode([Variant].self, from: "byteLevel.json")
        let tokenizer = try TokenizerVariantTests.tokenizer(#require(variants.first).file)
        let ids = try tokenizer.encode("🙂", addSpecialTokens: false)
        try #require(ids.count > 1)
        var decoder = IncrementalDecoder(tokenizer, skipSpecialTokens: true)
        #expect(try ids.dropLast().map { try decoder.append($0) }.joined().isEmpty)
        #expect(decoder.finish() == "\u{fffd}")
        #expect(decoder.finish().isEmpty)
    }

    /// Words come from the cache or from merging; the ids are the same, and so is a tokenizer used by many at once.
    @Test func repeatedAndConcurrentEncodingIsTheSame() async throws {
        let variants = try Fixture.decode([Variant].self, from: "byteLevel.json")
        let variant = try #require(variants.first)
        let tokenizer = try TokenizerVariantTests.tokenizer(variant.file)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    variant.cases.allSatisfy {
                        (try? tokenizer.encode($0.text, addSpecialTokens: false)) == $0.ids[0]
                    }
                }
            }
            for await isSame in group { #expect(isSame) }
        }
    }

    /// One word of a megabyte: merging that is quadratic would take hours.
    @Test func longWordsAreEncodedQuickly() throws {
        let variants = try Fixture.decode([Variant].self, from: "byteLevel.json")
        let tokenizer = try TokenizerVariantTests.tokenizer(#require(variants.first).file)
        for word in ["the", "日", "!"] {
            let text = String(repeating: word, count: 300_000)
            let ids = try tokenizer.encode(text, addSpecialTokens: false)
            expectSame(try tokenizer.decode(ids, skipSpecialTokens: false), text)
        }
    }

    /// Files of every kind, damaged where they say how to tokenize: refused or read, and nothing traps.
    @Test func damagedFilesNeverTrap() throws {
        var generator = SeededGenerator(seed: 11)
        var refused = 0
        for variant in try Fixture.decode([Variant].self, from: "byteLevel.json") {
            let original = Array(variant.file.utf8)
            let model = try #require(variant.file.range(of: "\"vocab\""))
            let head = variant.file[..<model.lowerBound].utf8.count
            for _ in 0..<60 {
                var bytes = original
                for _ in 0..<2 {
                    let place = Int(generator.next() % UInt64(head - 20))
                    switch generator.next() % 4 {
                    case 0: bytes[place] = UInt8(generator.next() % 128)
                    case 1: bytes.remove(at: place)
                    case 2: bytes.removeSubrange(place..<place + Int(generator.next() % 20))
                    default: bytes.insert(contentsOf: Array("true null [] {} 7 \"x\"".utf8), at: place)
                    }
                }
                if generator.next() % 8 == 0 { bytes.removeSubrange(Int(generator.next() % UInt64(bytes.count))...) }
                do {
                    let tokenizer = try Tokenizer(
                        files: TokenizerFiles(contents: [TokenizerFiles.tokenizerName: Data(bytes)], directory: ""))
                    let ids = try? tokenizer.encode(" ab <s> 12é\n", addSpecialTokens: true, matchesAddedTokens: true)
                    _ = try? tokenizer.decode(ids ?? [], skipSpecialTokens: true)
                } catch let error as FormatError {
                    #expect(error.file == "tokenizer.json" && !error.field.isEmpty, "\(error)")
                    refused += 1
                }
            }
        }
        #expect(refused > 500)
    }
}
