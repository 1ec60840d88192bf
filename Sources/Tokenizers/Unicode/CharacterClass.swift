/// What the patterns of pre-tokenizers tell apart.
enum CharacterClass: UInt8, Sendable {
    case other
    /// `\p{L}`
    case letter
    /// `\p{N}`
    case number
    /// `\s`
    case space

    /// Of every scalar.
    static let table = ScalarTable<CharacterClass>(
        [(letterRanges, .letter), (numberRanges, .number), (spaceRanges, .space)], otherwise: .other)
}

/// A value for every Unicode scalar, in pages of 256 of which equal ones are kept once.
struct ScalarTable<Value: RawRepresentable<UInt8> & Sendable>: Sendable {
    private var pages: [UInt16] = []
    private var values: [Value] = []

    /// - Parameter ranges: First and last scalar of one range after another, in order, with the value of all of them.
    init(_ ranges: [([UInt32], Value)], otherwise: Value) {
        var flat = Array(repeating: otherwise, count: 0x110000)
        for (ranges, value) in ranges {
            for index in stride(from: 0, to: ranges.count, by: 2) {
                for scalar in ranges[index]...ranges[index + 1] { flat[Int(scalar)] = value }
            }
        }
        var known: [[UInt8]: UInt16] = [:]
        for start in stride(from: 0, to: flat.count, by: 256) {
            let page = flat[start..<start + 256]
            let key = page.map(\.rawValue)
            if let index = known[key] {
                pages.append(index)
            } else {
                let index = UInt16(values.count / 256)
                known[key] = index
                pages.append(index)
                values += page
            }
        }
    }

    subscript(scalar: UInt32) -> Value {
        values[Int(pages[Int(scalar >> 8)]) << 8 | Int(scalar & 0xff)]
    }
}
