/// A scalar decoded from UTF-8 that is known to be valid, and the number of its bytes.
struct UTF8Scalar {
    let value: UInt32
    let length: Int

    /// Decodes the scalar that starts at `index`.
    @inline(__always)
    init(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) {
        let first = UInt32(bytes[index])
        func rest(_ offset: Int) -> UInt32 { UInt32(bytes[index + offset]) & 0x3f }
        switch first {
        case 0..<0x80: (value, length) = (first, 1)
        case 0x80..<0xe0: (value, length) = ((first & 0x1f) << 6 | rest(1), 2)
        case 0xe0..<0xf0: (value, length) = ((first & 0x0f) << 12 | rest(1) << 6 | rest(2), 3)
        default: (value, length) = ((first & 0x07) << 18 | rest(1) << 12 | rest(2) << 6 | rest(3), 4)
        }
    }

    /// Decodes the scalar that ends before `index`.
    init(_ bytes: UnsafeBufferPointer<UInt8>, endingAt index: Int) {
        var start = index - 1
        while start > 0, bytes[start] & 0xc0 == 0x80 { start -= 1 }
        self.init(bytes, at: start)
    }
}
