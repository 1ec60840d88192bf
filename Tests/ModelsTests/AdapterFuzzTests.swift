import Files
import Foundation
import TestSupport
import Testing

@testable import Models

/// Adapter directories, damaged: an error names the file and what in it is wrong, or they are read; nothing traps.
@Suite(.timeLimit(.minutes(30))) struct AdapterFuzzTests {
    private static func withDirectory(
        of model: String = "llama-tied", _ body: (URL, ModelConfiguration) throws -> Void
    ) throws {
        let shape = try ModelConfiguration(
            contentsOf: HuggingFaceFixture.directory.appending(path: "\(model)/config.json"))
        try HuggingFaceFixture.withDirectory { try body($0, shape) }
    }

    /// Whatever rank, projections, element type and order of tensors: values come out as they stand.
    @Test(arguments: ["llama-tied", "qwen3-untied"]) func directoriesOfAnyShapeAreRead(model: String) throws {
        try Self.withDirectory(of: model) { directory, shape in
            for seed in 0..<60 as Range<UInt64> {
                var random = SeededGenerator(seed: seed)
                let files = try AdapterFiles(of: shape, &random)
                try files.write(to: directory)
                let adapters = try Adapters(contentsOf: directory, of: shape)
                #expect(adapters.configuration == files.configuration)
                for entry in adapters.layout.entries {
                    let stored = try #require(files.tensors.first { $0.name == entry.name })
                    let values = UnsafeBufferPointer(start: adapters.pointer + entry.offset, count: entry.count)
                    #expect(values.elementsEqual(stored.values))
                }
            }
        }
    }

    @Test(arguments: AdapterDamage.allCases)
    func whatIsDamagedIsNamed(damage: AdapterDamage) throws {
        try Self.withDirectory { directory, shape in
            for seed in 0..<40 as Range<UInt64> {
                var random = SeededGenerator(seed: seed)
                var files = try AdapterFiles(of: shape, &random)
                let expected = try damage.apply(to: &files, shape, &random)
                try files.write(to: directory)
                let error = #expect(throws: FormatError.self, "seed \(seed), \(expected)") {
                    try Adapters(contentsOf: directory, of: shape)
                }
                guard let error else { continue }
                #expect(error.file == directory.appending(path: expected.file).path, "seed \(seed): \(error)")
                #expect(expected.holds(of: error), "seed \(seed): \(error), not \(expected.fields)")
                #expect(!error.reason.isEmpty)
            }
        }
    }

    @Test(arguments: [AdapterFiles.configurationName, AdapterFiles.weightsName])
    func randomDamageNeverTraps(name: String) throws {
        let pieces = [
            "9223372036854775807", "-1", "null", "{", "]", "1e99", "1e999", "\"", "\u{0}", "F64", "\\ud800", "[[[[",
            ",",
        ].map { Array($0.utf8) }
        var random = SeededGenerator(seed: 11)
        var refused = 0
        try Self.withDirectory { directory, shape in
            try AdapterFiles(of: shape, &random).write(to: directory)
            let url = directory.appending(path: name)
            let original = try [UInt8](Data(contentsOf: url))
            for _ in 0..<1500 {
                var bytes = original
                for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                    // Most of the damage falls on the header, where it can do harm.
                    let place = Int.random(in: 0..<min(bytes.count, 2500), using: &random)
                    switch Int.random(in: 0..<5, using: &random) {
                    case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                    case 1: bytes[place] = UInt8(ascii: "0") + UInt8.random(in: 0..<10, using: &random)
                    case 2:
                        let piece = pieces.randomElement(using: &random) ?? []
                        bytes.insert(contentsOf: piece, at: place)
                    case 3: bytes.remove(at: place)
                    default: bytes.removeSubrange(Int.random(in: 0..<bytes.count, using: &random)...)
                    }
                }
                try Data(bytes).write(to: url)
                do {
                    let adapters = try Adapters(contentsOf: directory, of: shape)
                    let scale = adapters.configuration.scale
                    #expect(scale.isFinite && scale > 0)
                    #expect((0..<adapters.count).allSatisfy { adapters.pointer[$0].isFinite })
                } catch let error as FormatError {
                    #expect(error.file.hasPrefix(directory.path) && !error.reason.isEmpty)
                    refused += 1
                }
            }
        }
        #expect(refused > 500)
    }
}
