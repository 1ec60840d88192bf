import Foundation
import Testing

@testable import Generation
@testable import Models

/// What is saved is, byte for byte, what transformers has loaded, and gives the greedy ids that it gave then.
///
/// `RLKD_SAVED_MODELS=DIRECTORY` leaves the saved models there, from which Tools/fixtures/saved_models.py makes the fixture.
@Suite struct SavedModelTests {
    enum Format: String, CaseIterable, Sendable {
        case float32, float16, bfloat16

        var type: SafeTensors.DataType {
            switch self {
            case .float32: .float32
            case .float16: .float16
            case .bfloat16: .bfloat16
            }
        }

        /// Bytes of a file: of half precision, models are in several.
        var shardLimit: Int { self == .float32 ? HuggingFaceDirectory.defaultShardLimit : 8_000 }
    }

    private struct Saved: Decodable {
        /// Hashes of the files that were loaded.
        var files: [String: String]
        var prompt: [Int32]
        /// Greedy ids of transformers in single precision.
        var tokens: [Int32]
    }

    private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../ModelsTests/Fixtures")
    private static let names = [
        "llama-tiny", "llama-tied", "llama3-scaled", "qwen2-tiny", "qwen2-yarn", "qwen3-tied", "qwen3-untied",
        "qwen3-yarn",
    ]
    private static let place = ProcessInfo.processInfo.environment["RLKD_SAVED_MODELS"].map { URL(filePath: $0) }

    private static func save(_ name: String, _ format: Format, to directory: URL) throws {
        let (_, parameters) = try HuggingFaceDirectory.load(fixtures.appending(path: name))
        try HuggingFaceDirectory.save(
            parameters, tokenizer: nil, to: directory, as: format.type, shardLimit: format.shardLimit)
    }

    @Test(.enabled(if: place != nil)) func modelsAreLeftForTransformers() throws {
        let place = try #require(Self.place)
        for name in Self.names {
            for format in Format.allCases {
                try Self.save(name, format, to: place.appending(path: "\(name)/\(format.rawValue)"))
            }
        }
    }

    @Test(arguments: names, Format.allCases)
    func transformersHasLoadedWhatIsSaved(name: String, format: Format) throws {
        let fixture = try Data(contentsOf: Self.fixtures.appending(path: "saved_models.json"))
        let expected = try #require(
            try JSONDecoder().decode([String: Saved].self, from: fixture)["\(name)/\(format.rawValue)"])
        let directory = FileManager.default.temporaryDirectory.appending(path: "saved-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try Self.save(name, format, to: directory)
        var files: [String: String] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            files[file] = Self.hash(try Data(contentsOf: directory.appending(path: file)))
        }
        #expect(files == expected.files)
        #expect((files.count > 3) == (format != .float32))
        #expect(try greedy(directory, expected.prompt, count: expected.tokens.count) == expected.tokens)
    }

    private func greedy(_ directory: URL, _ prompt: [Int32], count: Int) throws -> [Int32] {
        let (configuration, parameters) = try HuggingFaceDirectory.load(directory)
        let weights = PolicyWeights(parameters)
        let generator = Generator(configuration: configuration, batchCapacity: 1)
        try generator.submit(
            GenerationRequest(
                identifier: 0, prompt: prompt, sampleCount: 1, maxNewTokens: count, sampling: .greedy, endTokens: [],
                seed: 1, problemKey: 0))
        var tokens: [Int32] = []
        while generator.hasWork {
            for completion in generator.step(weights) { tokens = completion.tokens }
        }
        return tokens
    }

    /// FNV-1a of 64 bits.
    private static func hash(_ data: Data) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in data { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
