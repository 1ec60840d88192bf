import Files
import Foundation
import Testing
import Trajectories

@testable import Tokenizers

/// Files that lie, or ask for what is not supported.
struct TokenizerFileTests {
    private static let file = """
        {"version": "1.0", "added_tokens": [{"id": 4, "content": "<s>", "special": true}],
         "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": {"type": "Fuse"},
         "model": {"type": "BPE", "dropout": null, "unk_token": null, "byte_fallback": false,
                   "vocab": {"a": 0, "b": 1, "ab": 2, "é": 3}, "merges": [["a", "b"]]}}
        """

    /// So many steps of a type, which replace `a` where they replace anything.
    private static func steps(_ count: Int, _ type: String, _ content: String) -> String {
        let step = #"{"type": "\#(type)", "pattern": {"String": "a"}, "content": "\#(content)"}"#
        return Array(repeating: step, count: count).joined(separator: ", ")
    }

    /// So many pairs, each with a digit of its own.
    private static func digitsAndMetaspaces(_ count: Int) -> String {
        (0..<count).map { pair in
            let digit = String(UnicodeScalar(UInt32(0x660 + pair % 10))!)
            return #"{"type": "Digits", "individual_digits": true}, "#
                + #"{"type": "Metaspace", "replacement": "\#(digit)", "prepend_scheme": "always"}"#
        }.joined(separator: ", ")
    }

    /// One that begins a text with what stands for a name.
    private static func template(ids: String, name: String = "x") -> String {
        #"{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "\#(name)", "type_id": 0}}, "#
            + #"{"Sequence": {"id": "A", "type_id": 0}}], "special_tokens": {"x": {"id": "x", "ids": \#(ids), "tokens": []}}}"#
    }

    /// A template's names need not be tokens, and may stand for several, as in the `tokenizers` library.
    @Test func aTemplatesNamesStandForTheirIds() throws {
        let file = Self.file.replacing(
            #""post_processor": null"#, with: #""post_processor": \#(Self.template(ids: "[4, 0]"))"#)
        let tokenizer = try TokenizerVariantTests.tokenizer(file)
        #expect(try tokenizer.encode("ab", addSpecialTokens: true) == [4, 0, 2])
        #expect(try tokenizer.encode("ab", addSpecialTokens: false) == [2])
    }

    @Test func aChatTemplateIsUTF8() throws {
        try Fixture.withDirectory { directory in
            try Data(Self.file.utf8).write(to: directory.appending(path: "tokenizer.json"))
            let template = directory.appending(path: "chat_template.jinja")
            try Data("{{ 'é' }}".utf8).write(to: template)
            #expect(try Tokenizer(directory: directory).chatTemplate == "{{ 'é' }}")
            try Data([0x7b, 0xff, 0xfe]).write(to: template)
            let error = try #require(throws: FormatError.self) { try Tokenizer(directory: directory) }
            #expect(error.file.hasSuffix("chat_template.jinja"))
        }
    }

    private static func field(of file: String) throws -> String {
        let error = try #require(throws: FormatError.self, "\(file)") { try TokenizerVariantTests.tokenizer(file) }
        #expect(error.file.hasSuffix("tokenizer.json"))
        #expect(!error.reason.isEmpty)
        return error.field
    }

    @Test(arguments: [
        (#""pre_tokenizer": null"#, #""pre_tokenizer": {"type": "Whitespace"}"#, "pre_tokenizer.type"),
        (
            #""pre_tokenizer": null"#,
            #""pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\w+"}, "behavior": "Isolated"}"#,
            "pre_tokenizer.pattern.Regex"
        ),
        (
            #""pre_tokenizer": null"#,
            #""pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "Isolated"}"#,
            "pre_tokenizer.pattern"
        ),
        (
            #""pre_tokenizer": null"#,
            #""pre_tokenizer": {"type": "Split", "pattern": {"Regex": " "}, "behavior": "Removed"}"#,
            "pre_tokenizer.behavior"
        ),
        (
            #""pre_tokenizer": null"#,
            #""pre_tokenizer": {"type": "Split", "pattern": {"Regex": " "}, "behavior": "Isolated", "invert": true}"#,
            "pre_tokenizer.invert"
        ),
        (
            #""pre_tokenizer": null"#,
            #""pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "Digits"}]}"#,
            "pre_tokenizer.pretokenizers[1].type"
        ),
        (
            #""pre_tokenizer": null"#, #""pre_tokenizer": {"type": "Metaspace", "replacement": "__"}"#,
            "pre_tokenizer.replacement"
        ),
        (
            #""pre_tokenizer": null"#,
            #""pre_tokenizer": {"type": "Metaspace", "replacement": "_", "prepend_scheme": "last"}"#,
            "pre_tokenizer.prepend_scheme"
        ),
        (#""normalizer": null"#, #""normalizer": {"type": "NFKC"}"#, "normalizer.type"),
        (
            #""normalizer": null"#, #""normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}"#,
            "normalizer.normalizers[0].type"
        ),
        (
            #""normalizer": null"#, #""normalizer": {"type": "Replace", "pattern": {"Regex": "a"}, "content": ""}"#,
            "normalizer.pattern.Regex"
        ),
        (
            #""normalizer": null"#, #""normalizer": {"type": "Replace", "pattern": {"String": ""}, "content": ""}"#,
            "normalizer.pattern.String"
        ),
        // Each doubles a text, and a text in each would be put a hundred times as far.
        (
            #""normalizer": null"#,
            #""normalizer": {"type": "Sequence", "normalizers": [\#(steps(7, "Replace", "aa"))]}"#, "normalizer"
        ),
        (
            #""normalizer": null"#,
            #""normalizer": {"type": "Prepend", "prepend": "\#(String(repeating: "a", count: 64))"}"#, "normalizer"
        ),
        (
            #""normalizer": null"#,
            #""normalizer": {"type": "Sequence", "normalizers": [\#(steps(33, "NFC", ""))]}"#, "normalizer"
        ),
        (
            #""pre_tokenizer": null"#,
            #""pre_tokenizer": {"type": "Sequence", "pretokenizers": [\#(steps(33, "Digits", ""))]}"#, "pre_tokenizer"
        ),
        // Each pair would double the pieces of a text: a digit is put before every digit, and cut off again.
        (
            #""pre_tokenizer": null"#,
            #""pre_tokenizer": {"type": "Sequence", "pretokenizers": [\#(digitsAndMetaspaces(16))]}"#,
            "pre_tokenizer.pretokenizers[3].type"
        ),
        (
            #""pre_tokenizer": null"#,
            #""pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Sequence", "pretokenizers": [\#(digitsAndMetaspaces(1))]}, \#(digitsAndMetaspaces(1))]}"#,
            "pre_tokenizer.pretokenizers[2].type"
        ),
        (
            #"{"type": "Fuse"}"#, #"{"type": "Sequence", "decoders": [\#(steps(7, "Replace", "aa"))]}"#, "decoder"
        ),
        (#"{"type": "Fuse"}"#, #"{"type": "Sequence", "decoders": [\#(steps(33, "Fuse", ""))]}"#, "decoder"),
        (
            #""content": "<s>""#, #""content": "\#(String(repeating: "s", count: 1025))""#, "added_tokens[0].content"
        ),
        (#""post_processor": null"#, #""post_processor": {"type": "BertProcessing"}"#, "post_processor.type"),
        (
            #""post_processor": null"#,
            #""post_processor": {"type": "Sequence", "processors": [{"type": "TemplateProcessing", "single": []}]}"#,
            "post_processor.processors[0].single"
        ),
        (
            #""post_processor": null"#, #""post_processor": \#(template(ids: "[4, 7]"))"#,
            "post_processor.special_tokens.x.ids[1]"
        ),
        (
            #""post_processor": null"#, #""post_processor": \#(template(ids: "[4]", name: "y"))"#,
            "post_processor.single[0].SpecialToken.id"
        ),
        (#"{"type": "Fuse"}"#, #"{"type": "WordPiece"}"#, "decoder.type"),
        (
            #"{"type": "Fuse"}"#, #"{"type": "Sequence", "decoders": [{"type": "ByteLevel"}, {"type": "Fuse"}]}"#,
            "decoder"
        ),
        (
            #"{"type": "Fuse"}"#,
            #"{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 1}]}"#,
            "decoder.decoders[1].stop"
        ),
        (#""type": "BPE""#, #""type": "Unigram""#, "model.type"),
        (#""dropout": null"#, #""dropout": 0.1"#, "model.dropout"),
        (#""dropout": null"#, #""ignore_merges": 1"#, "model.ignore_merges"),
        (#""dropout": null"#, #""end_of_word_suffix": "</w>""#, "model.end_of_word_suffix"),
        (#""unk_token": null"#, #""unk_token": "<unk>""#, "model.unk_token"),
        (#""byte_fallback": false"#, #""byte_fallback": true"#, "model.byte_fallback"),
        (#""ab": 2"#, #""ab": 1"#, "model.vocab.ab"),
        (#""ab": 2"#, #""ab": -1"#, "model.vocab.ab"),
        (#""ab": 2"#, #""ab": 99999999999"#, "model.vocab.ab"),
        (#""ab": 2"#, #""ab": "2""#, "model.vocab.ab"),
        (#"["a", "b"]"#, #"["a", "c"]"#, "model.merges[0]"),
        (#"["a", "b"]"#, #"["b", "a"]"#, "model.merges[0]"),
        (#"["a", "b"]"#, #"["a"]"#, "model.merges[0]"),
        (#"["a", "b"]"#, #""ab""#, "model.merges[0]"),
        (#""id": 4"#, #""id": 3"#, "added_tokens[0].id"),
        (#""special": true"#, #""lstrip": "yes""#, "added_tokens[0].lstrip"),
        (#""ab": 2"#, #""a": 2"#, "line 4, byte 362"),
    ])
    func fieldsAreNamed(original: String, changed: String, field: String) throws {
        #expect(Self.file.contains(original))
        let damaged = Self.file.replacingOccurrences(of: original, with: changed)
        let found = try Self.field(of: damaged)
        #expect(field.hasPrefix("line") ? found.hasPrefix("line 4") : found == field)
    }

    @Test func canonicallyEquivalentTokensAreTwo() throws {
        let file = Self.file.replacingOccurrences(
            of: "\"ab\": 2", with: "\"ab\": 2, \"e\u{301}\": 5, \"e\": 6, \"\u{301}\": 7")
        let tokenizer = try TokenizerVariantTests.tokenizer(file)
        #expect(tokenizer.id(of: "\u{e9}") == 3)
        #expect(tokenizer.id(of: "e\u{301}") == 5)
        #expect(try tokenizer.encode("\u{e9}e\u{301}", addSpecialTokens: false) == [3, 6, 7])
    }

    @Test func configurationIsRead() throws {
        func tokenizer(_ configuration: String, generation: String? = nil) throws -> Tokenizer {
            try Fixture.withDirectory { directory in
                try Data(Self.file.utf8).write(to: directory.appending(path: "tokenizer.json"))
                try Data(configuration.utf8).write(to: directory.appending(path: "tokenizer_config.json"))
                try generation.map { try Data($0.utf8).write(to: directory.appending(path: "generation_config.json")) }
                return try Tokenizer(directory: directory)
            }
        }
        let plain = try tokenizer("{}")
        #expect(plain.beginning == nil && plain.end == nil && !plain.addsBeginning)
        let object = try tokenizer(
            #"{"bos_token": {"content": "<s>"}, "eos_token": "b", "pad_token": null, "add_bos_token": true, "add_eos_token": true, "chat_template": "{{ x }}"}"#
        )
        #expect(object.beginning == 4 && object.end == 1 && object.padding == nil && object.addsBeginning)
        #expect(object.chatTemplate == "{{ x }}")
        #expect(try object.encode("ab", addSpecialTokens: true) == [4, 2, 1])
        let generation = try tokenizer("{}", generation: #"{"bos_token_id": 4, "eos_token_id": [1, 2]}"#)
        #expect(generation.beginning == 4 && generation.end == 1 && !generation.addsBeginning)
        #expect(throws: FormatError.self) { try tokenizer(#"{"bos_token": "absent"}"#) }
        #expect(throws: FormatError.self) { try tokenizer(#"{"add_bos_token": true}"#) }
        #expect(throws: FormatError.self) { try tokenizer("{}", generation: #"{"eos_token_id": 99}"#) }
    }

    @Test func aTokenizerOfOneFileIsSavedWithAConfiguration() throws {
        let tokenizer = try TokenizerVariantTests.tokenizer(Self.file)
        try Fixture.withDirectory { directory in
            try tokenizer.save(to: directory)
            #expect(try Data(contentsOf: directory.appending(path: "tokenizer.json")) == Data(Self.file.utf8))
            #expect(try Tokenizer(directory: directory).encode("ab", addSpecialTokens: true) == [2])
        }
        #expect(throws: FormatError.self) { try Tokenizer(directory: URL(filePath: "/absent")) }
    }

    /// Damaged files are refused or read; nothing traps.
    @Test func damagedFilesNeverTrap() throws {
        let original = Array(Self.file.utf8)
        let stream = RandomStream(seed: 17, purpose: .problems)
        var refused = 0
        for round in 0..<4000 {
            var bytes = original
            for change in 0...2 {
                let words = stream.words(at: 3 * round + change)
                let position = Int(words.x) % bytes.count
                switch words.y % 4 {
                case 0: bytes[position] = UInt8(truncatingIfNeeded: words.z)
                case 1: bytes.remove(at: position)
                case 2: bytes.insert(UInt8(truncatingIfNeeded: words.z % 128), at: position)
                default:
                    bytes.insert(
                        contentsOf: bytes[position..<min(bytes.count, position + 9)], at: Int(words.w) % bytes.count
                    )
                }
            }
            do {
                let tokenizer = try Tokenizer(
                    files: TokenizerFiles(contents: [TokenizerFiles.tokenizerName: Data(bytes)], directory: ""))
                _ = try? tokenizer.encode("abab", addSpecialTokens: true, matchesAddedTokens: true)
            } catch is FormatError {
                refused += 1
            }
        }
        #expect(refused > 2000)
    }
}
