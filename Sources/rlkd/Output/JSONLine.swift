import Foundation

/// JSON as commands write it: keys in alphabetical order, floats in the shortest form that reads back to the same bits.
enum JSONLine {
    /// One line with its end.
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value) + [UInt8(ascii: "\n")]
    }

    /// Over several lines, for people.
    static func encodeIndented(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return try encoder.encode(value) + [UInt8(ascii: "\n")]
    }
}
