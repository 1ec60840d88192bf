import Files
import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// Files that the tests read.
enum Fixture {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    /// `../shared/data` from the package's root; absent on most machines.
    static let sharedData = URL(fileURLWithPath: SharedData.path(""))

    static let stories = sharedData.appending(path: "weights/stories260K")
    static var hasStories: Bool {
        FileManager.default.fileExists(atPath: stories.appending(path: "tokenizer.json").path)
    }

    static let templates = sharedData.appending(path: "templates")
    static var hasTemplates: Bool { FileManager.default.fileExists(atPath: templates.path) }
    static let qwen = sharedData.appending(path: "tokenizers/qwen2.5")
    static var hasQwen: Bool { FileManager.default.fileExists(atPath: qwen.appending(path: "vocab.json").path) }
    /// Read once: it takes half a second.
    static let qwenTokenizer = Result { try Tokenizer(directory: qwen) }

    static func decode<Value: Decodable>(_ type: Value.Type, from name: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: directory.appending(path: name)))
    }

    static func json(_ name: String) throws -> JSONField {
        let data = try Data(contentsOf: directory.appending(path: name))
        return JSONField(file: name, value: try data.withUnsafeBytes { try JSONValue(parsing: $0, file: name) })
    }

    /// Runs `body` with a new directory that is removed afterwards.
    static func withDirectory<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appending(path: "tokenizers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try body(directory)
    }
}

/// What the `tokenizers` library gives for a text.
struct EncodingCase: Decodable {
    let text: String
    let ids: [Int32]
    let matchedIDs: [Int32]
    let decoded: String
    let decodedWithoutSpecial: String
}

/// What it gives for ids.
struct DecodingCase: Decodable {
    let ids: [Int32]
    let decoded: String
    let decodedWithoutSpecial: String
}

/// Compares by UTF-8; `==` on strings holds canonically equivalent ones equal.
func expectSame(_ text: String, _ expected: String, _ location: SourceLocation = #_sourceLocation) {
    #expect(Array(text.utf8) == Array(expected.utf8), "\(text) is not \(expected)", sourceLocation: location)
}
