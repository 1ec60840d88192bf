import Files
import Foundation
import Testing
import Trajectories

@testable import Tokenizers

/// vocab.json and merges.txt, against transformers (Tools/fixtures/byte_level_cases.py).
struct VocabularyFileTests {
    private struct Variant: Decodable {
        let name: String
        let files: [String: String]
        let cases: [ByteLevelTests.Encoding]
        let sequences: [ByteLevelTests.Decoding]
    }

    private static func variants() throws -> [Variant] {
        try Fixture.decode([Variant].self, from: "vocabularyFiles.json")
    }

    private static func tokenizer(_ files: [String: Data]) throws -> Tokenizer {
        try Tokenizer(files: TokenizerFiles(contents: files, directory: ""))
    }

    @Test func idsAndTextsAreThoseOfTransformers() throws {
        for variant in try Self.variants() {
            let tokenizer = try Self.tokenizer(variant.files.mapValues { Data($0.utf8) })
            try ByteLevelTests.check(tokenizer, variant.name, variant.cases, variant.sequences)
        }
    }

    @Test func aDirectoryIsReadAndSaved() throws {
        let variant = try #require(try Self.variants().first)
        try Fixture.withDirectory { directory in
            #expect(!Tokenizer.isPresent(in: directory))
            for (name, content) in variant.files { try Data(content.utf8).write(to: directory.appending(path: name)) }
            #expect(Tokenizer.isPresent(in: directory))
            let tokenizer = try Tokenizer(directory: directory)
            try Fixture.withDirectory { copy in
                try tokenizer.save(to: copy)
                let other = try Tokenizer(directory: copy)
                #expect(other.tokens == tokenizer.tokens && other.end == tokenizer.end)
                for expected in variant.cases {
                    #expect(try other.encode(expected.text, addSpecialTokens: false) == expected.ids[0])
                }
            }
        }
    }

    private static let vocabulary = #"{"a": 0, "b": 1, "ab": 2, "<s>": 3}"#
    private static let merges = "#version: 0.2\na b\n"
    private static let configuration =
        #"{"tokenizer_class": "GPT2Tokenizer", "bos_token": "<s>", "eos_token": "<s>", "unk_token": null}"#

    private static func files(
        vocabulary: String = vocabulary, merges: String = merges, configuration: String = configuration
    ) -> [String: Data] {
        [
            "vocab.json": Data(vocabulary.utf8), "merges.txt": Data(merges.utf8),
            "tokenizer_config.json": Data(configuration.utf8),
        ]
    }

    @Test func filesAndFieldsAreNamed() throws {
        func error(_ files: [String: Data]) throws -> FormatError {
            try #require(throws: FormatError.self) { try Self.tokenizer(files) }
        }
        _ = try Self.tokenizer(Self.files())
        let noClass = try error(Self.files(configuration: "{}"))
        #expect((noClass.file, noClass.field) == ("tokenizer_config.json", "tokenizer_class"))
        let otherClass = try error(Self.files(configuration: #"{"tokenizer_class": "BertTokenizer"}"#))
        #expect((otherClass.file, otherClass.field) == ("tokenizer_config.json", "tokenizer_class"))
        let three = try error(Self.files(merges: "#version: 0.2\na b\na b ab\n"))
        #expect((three.file, three.field) == ("merges.txt", "line 3"))
        let absent = try error(Self.files(merges: "a c\n"))
        #expect((absent.file, absent.field) == ("merges.txt", "line 1"))
        let notText = try error(
            Self.files().merging(["merges.txt": Data([0xff])]) { $1 })
        #expect(notText.file == "merges.txt")
        let id = try error(Self.files(vocabulary: #"{"a": "0"}"#))
        #expect((id.file, id.field) == ("vocab.json", "a"))
        let list = try error(Self.files(vocabulary: "[]"))
        #expect(list.file == "vocab.json")
        let gap = try error(
            Self.files(
                configuration:
                    #"{"tokenizer_class": "GPT2Tokenizer", "added_tokens_decoder": {"9": {"content": "<x>"}}}"#))
        #expect((gap.file, gap.field) == ("tokenizer_config.json", "added_tokens_decoder.9"))
    }

    /// Damaged files are refused or read; nothing traps.
    @Test func damagedFilesNeverTrap() throws {
        let stream = RandomStream(seed: 18, purpose: .problems)
        let original = Self.files(
            configuration: Self.configuration.dropLast()
                + #", "added_tokens_decoder": {"3": {"content": "<s>", "special": true, "lstrip": true}}}"#)
        let names = original.keys.sorted()
        var refused = 0
        for round in 0..<3000 {
            let words = stream.words(at: round)
            let name = names[Int(words.w) % names.count]
            var bytes = Array(original[name] ?? Data())
            let position = Int(words.x) % bytes.count
            switch words.y % 4 {
            case 0: bytes[position] = UInt8(truncatingIfNeeded: words.z)
            case 1: bytes.removeSubrange(position...)
            case 2: bytes.insert(UInt8(truncatingIfNeeded: words.z % 128), at: position)
            default: bytes.insert(contentsOf: bytes[position..<min(bytes.count, position + 9)], at: position)
            }
            do {
                let tokenizer = try Self.tokenizer(original.merging([name: Data(bytes)]) { $1 })
                _ = try? tokenizer.encode(" ab <s> c", addSpecialTokens: true, matchesAddedTokens: true)
            } catch let error as FormatError {
                #expect(!error.file.isEmpty)
                refused += 1
            }
        }
        #expect(refused > 1000)
    }
}
