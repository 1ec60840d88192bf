import Files
import Foundation
import Testing
import Tokenizers

@testable import Models

/// What stands where a model's file should, and is none: named at once, without waiting for a writer or taking memory.
@Suite(.timeLimit(.minutes(30))) struct UnreadableFileTests {
    enum Kind: CaseIterable {
        case pipe, directory, linkToNowhere, linkToItself, device

        func make(at url: URL) throws {
            let manager = FileManager.default
            try? manager.removeItem(at: url)
            switch self {
            case .pipe: try #require(mkfifo(url.path, 0o600) == 0)
            case .directory: try manager.createDirectory(at: url, withIntermediateDirectories: false)
            case .linkToNowhere: try manager.createSymbolicLink(atPath: url.path, withDestinationPath: "nowhere")
            case .linkToItself:
                try manager.createSymbolicLink(atPath: url.path, withDestinationPath: url.lastPathComponent)
            case .device: try manager.createSymbolicLink(atPath: url.path, withDestinationPath: "/dev/zero")
            }
        }

        var reason: String {
            switch self {
            case .pipe, .device: "is not a file"
            case .directory: "is a directory, not a file"
            case .linkToNowhere: "cannot be read: No such file or directory"
            case .linkToItself: "cannot be read: Too many levels of symbolic links"
            }
        }
    }

    private func expectRefusal(
        _ url: URL, _ reason: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    ) {
        let error = #expect(throws: FormatError.self, sourceLocation: sourceLocation, performing: body)
        #expect(error?.file == url.path && error?.field == "", sourceLocation: sourceLocation)
        #expect(error?.reason == reason, sourceLocation: sourceLocation)
    }

    @Test(arguments: ["config.json", "model.safetensors", "generation_config.json"], Kind.allCases)
    func aFileOfAModelIsNamed(name: String, kind: Kind) throws {
        try HuggingFaceFixture.withCopy(of: "llama-tiny") { directory in
            let url = directory.appending(path: name)
            try kind.make(at: url)
            expectRefusal(url, kind.reason) {
                _ = try HuggingFaceDirectory.open(directory)
                _ = try GenerationConfiguration(directory: directory)
            }
        }
    }

    @Test(arguments: ["model.safetensors.index.json", "model-00001-of-00002.safetensors"], Kind.allCases)
    func aFileOfShardsIsNamed(name: String, kind: Kind) throws {
        let fixture = HuggingFaceFixture.directory.appending(path: "qwen3-yarn")
        let parameters = try HuggingFaceDirectory.load(fixture).1
        try HuggingFaceFixture.withDirectory { directory in
            try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: directory, shardLimit: 24_000)
            let url = directory.appending(path: name)
            try #require(InputFile.isPresent(url))
            try kind.make(at: url)
            expectRefusal(url, kind.reason) { _ = try HuggingFaceDirectory.open(directory) }
        }
    }

    @Test(arguments: ["adapter_config.json", "adapter_model.safetensors"], Kind.allCases)
    func aFileOfAdaptersIsNamed(name: String, kind: Kind) throws {
        let fixtures = HuggingFaceFixture.directory
        let model = try ModelConfiguration(contentsOf: fixtures.appending(path: "llama-tiny/config.json"))
        try HuggingFaceFixture.withDirectory { directory in
            let adapters = try Adapters.randomized(AdapterConfiguration(rank: 2, alpha: 4), of: model, seed: 1)
            try adapters.save(to: directory)
            let url = directory.appending(path: name)
            try kind.make(at: url)
            expectRefusal(url, kind.reason) { _ = try Adapters(contentsOf: directory, of: model) }
        }
    }

    /// Most of such a file need not be on the disk, and reading it all would take its size in memory.
    @Test func aTextTooLargeToBeOneIsNotRead() throws {
        try HuggingFaceFixture.withCopy(of: "llama-tiny") { directory in
            let url = directory.appending(path: "config.json")
            let size = 40 << 30
            try #require(truncate(url.path, size) == 0)
            expectRefusal(url, "has \(size) bytes; at most \(InputFile.largestSettings) can be right") {
                _ = try HuggingFaceDirectory.open(directory)
            }
        }
    }
}
