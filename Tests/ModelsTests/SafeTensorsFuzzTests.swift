import Files
import Foundation
import Testing
import Trajectories

@testable import Models

/// Damaged files are refused or read; nothing traps, and nothing outside the file is read.
struct SafeTensorsFuzzTests {
    /// Draws from a counter-based generator, so that every run sees the same damage.
    private struct Source {
        let stream: RandomStream
        var position = 0

        mutating func below(_ bound: Int) -> Int {
            defer { position += 1 }
            return Int(stream.words(at: position).x) % bound
        }
    }

    private static let header = """
        {"__metadata__":{"format":"pt"},"model.norm.weight":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},\
        "a":{"dtype":"BF16","shape":[2,3],"data_offsets":[16,28]},"é":{"dtype":"F16","shape":[1,1,2],"data_offsets":[28,32]}}
        """

    private static func mutate(_ bytes: [UInt8], _ source: inout Source) -> [UInt8] {
        let pieces: [[UInt8]] = [
            Array("9223372036854775807".utf8), Array("-1".utf8), Array("[".utf8), Array("{".utf8), Array("\"".utf8),
            Array("}".utf8),
            Array(",".utf8), Array("1e999".utf8), Array("null".utf8), Array("\\ud800".utf8), [0], [0xff], [0xc3],
            Array("F64".utf8),
        ]
        var bytes = bytes
        for _ in 0...source.below(3) where !bytes.isEmpty {
            let position = source.below(bytes.count)
            switch source.below(7) {
            case 0: bytes[position] = UInt8(source.below(256))
            case 1: bytes[position] ^= 1 << UInt8(source.below(8))
            case 2: bytes.remove(at: position)
            case 3: bytes.insert(contentsOf: pieces[source.below(pieces.count)], at: position)
            case 4: bytes.removeSubrange(position...)
            case 5: bytes[position] = UInt8(ascii: "0") + UInt8(source.below(10))
            default:
                let end = min(bytes.count, position + 1 + source.below(24))
                bytes.insert(contentsOf: bytes[position..<end], at: source.below(bytes.count))
            }
        }
        return bytes
    }

    @Test func damagedFilesNeverTrap() throws {
        var source = Source(stream: RandomStream(seed: 42, purpose: .problems))
        let header = Array(Self.header.utf8)
        let data = (0..<32).map { UInt8($0 * 7 & 255) }
        var refused = 0
        try HuggingFaceFixture.withDirectory { directory in
            let url = directory.appending(path: "damaged.safetensors")
            for round in 0..<6000 {
                // Half of the rounds damage the JSON and keep its length right, so that the damage is reached.
                let bytes: [UInt8]
                if round.isMultiple(of: 2) {
                    let damaged = Self.mutate(header, &source)
                    bytes = withUnsafeBytes(of: UInt64(damaged.count).littleEndian) { Array($0) } + damaged + data
                } else {
                    bytes = Self.mutate(
                        withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header + data, &source)
                }
                do {
                    let header = try bytes.withUnsafeBytes { try SafeTensorsHeader($0, file: url.path) }
                    for tensor in header.tensors {
                        #expect(tensor.offset >= 8 && tensor.shape.reduce(1, *) == tensor.count)
                        #expect(tensor.offset + tensor.byteCount <= bytes.count)
                    }
                } catch let error as FormatError {
                    #expect(error.file == url.path && !error.reason.isEmpty)
                    refused += 1
                }
                // Files are slow on some machines, so only a few of the rounds write one.
                guard round.isMultiple(of: 37) else { continue }
                try Data(bytes).write(to: url)
                if let file = try? SafeTensors(url: url) {
                    for tensor in file.tensors {
                        guard tensor.type != nil else { continue }
                        #expect(try file.values(tensor.name).count == tensor.count)
                    }
                }
            }
        }
        #expect(refused > 3000)
    }
}
