import Files
import Foundation
import Testing
import Trajectories

@testable import Models

/// Whole directories, damaged: they load, or an error names a file; nothing traps.
struct HuggingFaceFuzzTests {
    @Test(arguments: ["model-00001-of-00002.safetensors", "model.safetensors.index.json", "config.json"])
    func damagedDirectoriesNeverTrap(damaged: String) throws {
        let parameters = try HuggingFaceDirectory.load(HuggingFaceFixture.directory.appending(path: "qwen3-yarn")).1
        let stream = RandomStream(seed: 7, purpose: .problems)
        var position = 0
        func below(_ bound: Int) -> Int {
            defer { position += 1 }
            return Int(stream.words(at: position).x) % bound
        }
        let pieces = ["9223372036854775807", "-1", "null", "{", "]", "1e99", "\"", "\u{0}", "F64"].map {
            Array($0.utf8)
        }
        try HuggingFaceFixture.withDirectory { directory in
            try HuggingFaceDirectory.save(parameters, tokenizer: nil, to: directory, shardLimit: 24_000)
            let url = directory.appending(path: damaged)
            let original = try [UInt8](Data(contentsOf: url))
            var refused = 0
            for _ in 0..<400 {
                var bytes = original
                for _ in 0...below(3) {
                    // Most of the damage falls on the header, where it can do harm.
                    let place = below(min(bytes.count, 2500))
                    switch below(5) {
                    case 0: bytes[place] ^= 1 << UInt8(below(8))
                    case 1: bytes[place] = UInt8(ascii: "0") + UInt8(below(10))
                    case 2: bytes.insert(contentsOf: pieces[below(pieces.count)], at: place)
                    case 3: bytes.remove(at: place)
                    default: bytes.removeSubrange((bytes.count - below(bytes.count - 1))...)
                    }
                }
                try Data(bytes).write(to: url)
                do {
                    _ = try HuggingFaceDirectory.load(directory) { _ in }
                } catch let error as FormatError {
                    #expect(error.file.hasPrefix(directory.path) && !error.reason.isEmpty)
                    refused += 1
                }
            }
            #expect(refused > 100)
        }
    }
}
