import Foundation
import Testing
import Tokenizers

/// Small tokenizers that differ in normalizer, decoder and unknown token (Tools/fixtures/tokenizer_cases.py).
struct TokenizerVariantTests {
    private struct Variant: Decodable {
        let name: String
        let file: String
        let cases: [EncodingCase]
        let sequences: [DecodingCase]
    }

    @Test func idsAndTextsAreThoseOfTheLibrary() throws {
        for variant in try Fixture.decode([Variant].self, from: "variants.json") {
            let tokenizer = try Self.tokenizer(variant.file)
            for expected in variant.cases {
                let ids = try tokenizer.encode(expected.text, addSpecialTokens: false)
                #expect(ids == expected.ids, "\(variant.name): \(expected.text)")
                let matched = try tokenizer.encode(expected.text, addSpecialTokens: false, matchesAddedTokens: true)
                #expect(matched == expected.matchedIDs, "\(variant.name): \(expected.text)")
                expectSame(try tokenizer.decode(ids, skipSpecialTokens: false), expected.decoded)
                expectSame(try tokenizer.decode(ids, skipSpecialTokens: true), expected.decodedWithoutSpecial)
            }
            for expected in variant.sequences {
                expectSame(try tokenizer.decode(expected.ids, skipSpecialTokens: false), expected.decoded)
                expectSame(try tokenizer.decode(expected.ids, skipSpecialTokens: true), expected.decodedWithoutSpecial)
            }
        }
    }

    static func tokenizer(_ file: String) throws -> Tokenizer {
        try Fixture.withDirectory { directory in
            try Data(file.utf8).write(to: directory.appending(path: "tokenizer.json"))
            return try Tokenizer(directory: directory)
        }
    }
}
