import Foundation
import TestSupport
import Testing

/// Files of the tests of formats.
enum HuggingFaceFixture {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    static let names = [
        "llama-tiny", "llama-tied", "llama3-scaled", "qwen2-tiny", "qwen2-yarn", "qwen3-tied", "qwen3-untied",
        "qwen3-yarn",
    ]

    /// `../shared/data/weights` from the package's root; absent on most machines.
    static let sharedWeights = URL(fileURLWithPath: SharedData.path("weights"))
    static var hasSharedWeights: Bool { FileManager.default.fileExists(atPath: sharedWeights.path) }

    static func withDirectory<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appending(path: "models-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try body(directory)
    }

    /// A copy of a fixture's config.json and model.safetensors that a test may damage.
    static func withCopy<Result>(of name: String, _ body: (URL) throws -> Result) throws -> Result {
        try withDirectory { directory in
            for file in ["config.json", "model.safetensors"] {
                try FileManager.default.copyItem(
                    at: Self.directory.appending(path: "\(name)/\(file)"), to: directory.appending(path: file))
            }
            return try body(directory)
        }
    }
}
