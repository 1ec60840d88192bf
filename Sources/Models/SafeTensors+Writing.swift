import Files
import Foundation

extension SafeTensors {
    /// What `write` puts into a file.
    public struct Source {
        public let name: String
        let shape: [Int]
        let count: Int
        let values: UnsafePointer<Float>

        /// - Parameter values: As many floats as the product of `shape`, alive until `write` returns.
        public init(name: String, shape: [Int], values: UnsafePointer<Float>) {
            self.name = name
            self.shape = shape
            self.values = values
            count = shape.reduce(1, *)
        }
    }

    /// Writes tensors in the order given, with the metadata `{"format": "pt"}` that transformers asks for.
    ///
    /// The bytes go into a file beside `url`, which is flushed to the disk and then renamed: whoever opens `url` finds
    /// the old file or the whole new one. Throws `FileError` when the system refuses.
    ///
    /// - Parameter type: `.float32`, or `.bfloat16` rounded to nearest, ties to even; `.float16` likewise, with large
    ///   values to infinity.
    public static func write(_ tensors: [Source], to url: URL, as type: DataType = .float32) throws {
        try StreamedFile.write(inPlaceOf: url, flushing: true) { file in
            try header(tensors, type).withUnsafeBytes { try file.write($0) }
            for tensor in tensors { try write(tensor, type, to: &file) }
        }
    }

    /// The length and the JSON, filled with spaces so that the data start at a multiple of 8 bytes.
    private static func header(_ tensors: [Source], _ type: DataType) -> [UInt8] {
        var offset = 0
        var entries = ["\"__metadata__\":{\"format\":\"pt\"}"]
        for tensor in tensors {
            let end = offset + tensor.count * type.byteCount
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            entries.append(
                "\(JSONValue.literal(tensor.name)):"
                    + "{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var text = Array("{\(entries.joined(separator: ","))}".utf8)
        while !text.count.isMultiple(of: 8) { text.append(0x20) }
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
    }

    private static func write(_ tensor: Source, _ type: DataType, to file: inout StreamedFile) throws {
        let values = UnsafeBufferPointer(start: tensor.values, count: tensor.count)
        guard type != .float32 else { return try file.write(UnsafeRawBufferPointer(values)) }
        let chunk = 1 << 16
        for start in stride(from: 0, to: values.count, by: chunk) {
            let part = values[start..<min(start + chunk, values.count)]
            let halves = part.map { type == .bfloat16 ? bfloat16($0) : Float16($0).bitPattern }
            try halves.withUnsafeBytes { try file.write($0) }
        }
    }

    /// The upper half of a float, rounded to nearest, ties to even.
    private static func bfloat16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        // The sum would carry a not-a-number into infinity or over to zero.
        guard !value.isNaN else { return UInt16(bits >> 16) | 0x40 }
        return UInt16((bits + 0x7fff + (bits >> 16 & 1)) >> 16)
    }
}
