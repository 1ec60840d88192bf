import Foundation
import Testing

@testable import Tokenizers

/// Byte-pair encoding over characters with byte fallback, as Llama 2, Mistral and Gemma have it, against the `tokenizers` library
/// (Tools/fixtures/byte_level_cases.py).
struct SentencePieceTests {
    private func variants() throws -> [ByteLevelTests.Variant] {
        try Fixture.decode([ByteLevelTests.Variant].self, from: "sentencePiece.json")
    }

    @Test func idsAndTextsAreThoseOfTheLibrary() throws {
        let variants = try variants()
        #expect(variants.count == 5)
        for variant in variants {
            let tokenizer = try TokenizerVariantTests.tokenizer(variant.file)
            try ByteLevelTests.check(tokenizer, variant.name, variant.cases, variant.sequences)
        }
    }

    /// The library alone would cut and fill; transformers turns both off unless a call asks for them.
    @Test func truncationAndPaddingAreNotApplied() throws {
        let truncation = #"{"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0}"#
        let padding = """
            {"strategy": {"Fixed": 12}, "direction": "Left", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0,
             "pad_token": "<unk>"}
            """
        let variant = try #require(try variants().first)
        let file = variant.file.replacing("\"truncation\":null", with: "\"truncation\":\(truncation)")
            .replacing("\"padding\":null", with: "\"padding\":\(padding)")
        #expect(file.count > variant.file.count + truncation.count)
        try ByteLevelTests.check(
            TokenizerVariantTests.tokenizer(file), variant.name, variant.cases, variant.sequences)
    }
}
