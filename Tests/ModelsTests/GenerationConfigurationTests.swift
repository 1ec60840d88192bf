import Files
import Foundation
import Testing

@testable import Models

@Suite struct GenerationConfigurationTests {
    private let url: (URL) -> URL = { $0.appending(path: "generation_config.json") }

    private func configuration(_ text: String) throws -> GenerationConfiguration {
        try HuggingFaceFixture.withDirectory { directory in
            try Data(text.utf8).write(to: url(directory))
            return try #require(try GenerationConfiguration(directory: directory))
        }
    }

    private func saved(_ configuration: GenerationConfiguration) throws -> String {
        try HuggingFaceFixture.withDirectory { directory in
            try configuration.save(to: directory)
            return try String(contentsOf: url(directory), encoding: .utf8)
        }
    }

    private static let text = """
        {"temperature":0.6, "eos_token_id": [5,7],
         "transformers_version": "4.51.0", "suppress_tokens": [], "x": {"é\\n": null, "y": [1, -2.5e-7, true]}}
        """

    @Test func whatIsReadIsWrittenByteForByte() throws {
        var configuration = try configuration(Self.text)
        #expect(configuration.endTokens == [5, 7])
        configuration.end(at: [7, 5])
        #expect(try saved(configuration) == Self.text)
    }

    @Test func aTokenMoreEndsACompletionAndNothingElseChanges() throws {
        var configuration = try configuration(Self.text)
        configuration.end(at: [7, 9])
        #expect(configuration.endTokens == [5, 7, 9])
        func object(_ text: String) throws -> NSMutableDictionary {
            try #require(
                try JSONSerialization.jsonObject(with: Data(text.utf8), options: .mutableContainers)
                    as? NSMutableDictionary)
        }
        let expected = try object(Self.text)
        expected["eos_token_id"] = [5, 7, 9]
        #expect(try object(saved(configuration)) == expected)
        #expect(try self.configuration(saved(configuration)).endTokens == [5, 7, 9])
    }

    @Test(arguments: [("{}", [Int32]()), (#"{"eos_token_id": null}"#, []), (#"{"eos_token_id": 3}"#, [3])])
    func tokensOfAFileThatNamesFewAreFilledIn(text: String, tokens: [Int32]) throws {
        var configuration = try configuration(text)
        #expect(configuration.endTokens == tokens)
        configuration.end(at: [3, 4])
        #expect(try self.configuration(saved(configuration)).endTokens == [3, 4])
    }

    @Test func aModelWithoutAFileWritesItsTokens() throws {
        let shape = ModelConfiguration(
            hiddenSize: 16, intermediateSize: 24, layerCount: 1, attentionHeadCount: 2, keyValueHeadCount: 1,
            vocabularySize: 8, maxPositions: 8, beginningToken: 1, endTokens: [2, 3])
        let written = try saved(GenerationConfiguration(shape))
        #expect(
            try JSONSerialization.jsonObject(with: Data(written.utf8)) as? NSDictionary
                == ["bos_token_id": 1, "eos_token_id": [2, 3]])
        let absent = try HuggingFaceFixture.withDirectory { try GenerationConfiguration(directory: $0) }
        #expect(absent == nil)
    }

    @Test(arguments: [
        ("[]", "", "expected an object"), (#"{"eos_token_id": "2"}"#, "eos_token_id", "expected an integer"),
        (#"{"eos_token_id": [1, -1]}"#, "eos_token_id[1]", "is no token id"),
    ])
    func whatIsNoTokenIsNamed(text: String, field: String, reason: String) throws {
        let error = #expect(throws: FormatError.self) { _ = try configuration(text) }
        #expect(error?.field == field && error?.reason.hasPrefix(reason) == true)
    }
}
