import Files

/// The header of a safetensors file: 8 bytes of its length, little-endian, then JSON from names to (dtype, shape,
/// data_offsets).
struct SafeTensorsHeader {
    /// The format's own limit.
    static let largestLength = 100_000_000

    /// JSON values: of a hundred thousand tensors, whose number no file comes near to. What is larger is refused before it takes
    /// gigabytes.
    static let mostValues = 1 << 20
    /// Dimensions of a tensor.
    private static let highestRank = 64

    /// Bytes an element, by the format's names; those of fewer than eight bits are left out.
    private static let elementSizes = [
        "BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "F8_E8M0": 1, "F8_E5M2FNUZ": 1, "F8_E4M3FNUZ": 1,
        "U16": 2, "I16": 2, "F16": 2, "BF16": 2, "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8, "C64": 8,
    ]

    private(set) var tensors: [SafeTensors.Tensor] = []

    init(_ bytes: UnsafeRawBufferPointer, file: String) throws {
        func failure(_ reason: String) -> FormatError { FormatError(file: file, field: "header", reason: reason) }
        guard bytes.count >= 8 else {
            throw failure("the file has \(bytes.count) bytes, fewer than the header's length takes")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(Self.largestLength) else {
            throw failure("its length is given as \(length) bytes, above the format's limit of \(Self.largestLength)")
        }
        let dataStart = 8 + Int(length)
        guard dataStart <= bytes.count else {
            throw failure("its length is given as \(length) bytes, but \(bytes.count - 8) follow")
        }
        let text = UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart])
        let header = JSONField(
            file: file, path: "header",
            value: try JSONValue(parsing: text, file: file, valueLimit: Self.mostValues))
        for (name, field) in try header.members() {
            let field = JSONField(file: file, path: name, value: field.value)
            if name == "__metadata__" {
                for (_, text) in try field.members() { _ = try text.string() }
            } else {
                tensors.append(try Self.tensor(name, field, dataStart: dataStart, dataCount: bytes.count - dataStart))
            }
        }
        try sortAndCheck(dataStart: dataStart, fileCount: bytes.count, file: file)
    }

    private static func tensor(
        _ name: String, _ field: JSONField, dataStart: Int, dataCount: Int
    ) throws -> SafeTensors.Tensor {
        func failure(_ reason: String) -> FormatError { field.failure(reason) }
        let typeName = try field["dtype"].string()
        guard let size = elementSizes[typeName] else { throw failure("the dtype \(typeName) is not supported") }
        let shape = try integers(field["shape"], atMost: highestRank)
        let offsets = try integers(field["data_offsets"], atMost: 2)
        guard offsets.count == 2, 0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= dataCount else {
            throw failure("the offsets \(offsets) are not a range within the \(dataCount) bytes of data")
        }
        var count = 1
        for length in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard length >= 0, !overflow else { throw failure("the shape \(shape) is impossible") }
            count = product
        }
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: size)
        guard !overflow, byteCount == offsets[1] - offsets[0] else {
            throw failure("\(offsets[1] - offsets[0]) bytes do not make the shape \(shape) of \(typeName)")
        }
        return SafeTensors.Tensor(
            name: name, type: SafeTensors.DataType(rawValue: typeName), typeName: typeName, shape: shape, count: count,
            byteCount: byteCount, offset: dataStart + offsets[0])
    }

    private static func integers(_ field: JSONField, atMost limit: Int) throws -> [Int] {
        if case .array(let elements) = field.value, elements.count > limit {
            throw field.failure("has \(elements.count) elements; it may have \(limit)")
        }
        return try field.elements().map { try $0.integer() }
    }

    /// Tensors must follow one another without gaps and fill the file, as the format asks.
    private mutating func sortAndCheck(dataStart: Int, fileCount: Int, file: String) throws {
        tensors.sort { ($0.offset, $0.byteCount) < ($1.offset, $1.byteCount) }
        var position = dataStart
        for tensor in tensors {
            guard tensor.offset == position else {
                let problem = tensor.offset < position ? "overlaps" : "leaves a gap after"
                throw FormatError(
                    file: file, field: tensor.name,
                    reason:
                        "its byte \(tensor.offset - dataStart) \(problem) the data before, which end at \(position - dataStart)"
                )
            }
            position = tensor.offset + tensor.byteCount
        }
        guard position == fileCount else {
            throw FormatError(
                file: file, field: "header",
                reason: "\(fileCount - position) bytes at the end of the file belong to no tensor; is one missing?")
        }
    }
}
