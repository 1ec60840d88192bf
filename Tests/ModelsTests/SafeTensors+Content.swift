import Foundation
import Models
import Testing

/// What a file holds, as tests compare it.
extension SafeTensors {
    /// A tensor's elements as floats. Throws `FormatError` where there is no such tensor, or none of floats.
    func values(_ name: String) throws -> [Float] {
        let count = self[name]?.count ?? 0
        return try Array(unsafeUninitializedCapacity: max(1, count)) { buffer, filled in
            try read(name, into: try #require(buffer.baseAddress))
            filled = count
        }
    }

    /// The header's `__metadata__`, as the file has it now.
    func metadata() throws -> [String: String]? {
        let data = try Data(contentsOf: URL(filePath: file))
        let length = data.withUnsafeBytes { Int(UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))) }
        let header = try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: Any]
        return header?["__metadata__"] as? [String: String]
    }
}
