import Foundation
import Testing

@testable import Tokenizers

/// vocab.json and merges.txt of Qwen2.5, against ids that other projects publish.
@Suite(.enabled(if: Fixture.hasQwen, "the shared data with the files of Qwen2.5 is absent"))
struct QwenTokenizerTests {
    private static let cases = Fixture.sharedData.appending(path: "tokenizer-cases")

    private struct Published: Decodable {
        struct Case: Decodable {
            let text: String
            let ids: [Int32]
            let decoded: String?
        }

        let cases: [Case]
    }

    @Test func idsAreThoseOfLlamaCpp() throws {
        let tokenizer = try Fixture.qwenTokenizer.get()
        let input = try String(
            contentsOf: Self.cases.appending(path: "ggml-vocab-qwen2.gguf.inp"), encoding: .utf8)
        let output = try String(
            contentsOf: Self.cases.appending(path: "ggml-vocab-qwen2.gguf.out"), encoding: .utf8)
        let texts = input.components(separatedBy: "\n__ggml_vocab_test__\n")
        let lines = output.components(separatedBy: "\n").dropLast()
        try #require(texts.count >= lines.count && lines.count > 40)
        for (text, line) in zip(texts, lines) {
            let expected = line.split(separator: " ").compactMap { Int32($0) }
            #expect(try tokenizer.encode(text, addSpecialTokens: false) == expected, "\(text.debugDescription)")
        }
    }

    @Test func idsAreThoseOfTransformersJS() throws {
        let tokenizer = try Fixture.qwenTokenizer.get()
        let data = try Data(contentsOf: Self.cases.appending(path: "transformersjs_qwen2_cases.json"))
        let published = try JSONDecoder().decode(Published.self, from: data)
        try #require(published.cases.count > 20)
        for expected in published.cases {
            let ids = try tokenizer.encode(expected.text, addSpecialTokens: false, matchesAddedTokens: true)
            #expect(ids == expected.ids, "\(expected.text.debugDescription)")
            if let decoded = expected.decoded {
                expectSame(try tokenizer.decode(ids, skipSpecialTokens: false), decoded)
            }
        }
    }

    @Test func specialTokensComeFromTheConfiguration() throws {
        let tokenizer = try Fixture.qwenTokenizer.get()
        #expect(tokenizer.vocabularySize == 151_665)
        // generation_config.json names one, which is not put before a text.
        #expect(tokenizer.beginning == 151_643 && !tokenizer.addsBeginning)
        #expect(tokenizer.end == tokenizer.id(of: "<|im_end|>"))
        #expect(tokenizer.padding == tokenizer.id(of: "<|endoftext|>"))
        let marked = "<|im_start|>user"
        #expect(
            try tokenizer.encode(marked, addSpecialTokens: false, matchesAddedTokens: true) == [151_644, 872])
        #expect(!(try tokenizer.encode(marked, addSpecialTokens: false)).contains(151_644))
    }

    @Test func savingCopiesTheFiles() throws {
        try Fixture.withDirectory { directory in
            try Fixture.qwenTokenizer.get().save(to: directory)
            for name in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
                #expect(
                    try Data(contentsOf: directory.appending(path: name))
                        == Data(contentsOf: Fixture.qwen.appending(path: name)))
            }
        }
    }
}
