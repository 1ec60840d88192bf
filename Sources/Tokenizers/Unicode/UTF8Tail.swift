/// The beginning of a character at the end of bytes.
enum UTF8Tail {
    /// How many bytes at the end could still become a character: 0 to 3.
    static func length(of bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let tail = bytes[(bytes.count - length)...]
            guard let first = tail.first, first & 0xc0 != 0x80 else { continue }
            return isBeginning(Array(tail)) ? length : 0
        }
        return 0
    }

    /// Table 3-7 of the Unicode Standard: which second bytes a first one allows.
    private static func isBeginning(_ bytes: [UInt8]) -> Bool {
        let needed: Int
        let second: ClosedRange<UInt8>
        switch bytes[0] {
        case 0xc2...0xdf: (needed, second) = (2, 0x80...0xbf)
        case 0xe0: (needed, second) = (3, 0xa0...0xbf)
        case 0xed: (needed, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: (needed, second) = (3, 0x80...0xbf)
        case 0xf0: (needed, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: (needed, second) = (4, 0x80...0xbf)
        case 0xf4: (needed, second) = (4, 0x80...0x8f)
        default: return false
        }
        return bytes.count < needed && (bytes.count == 1 || second.contains(bytes[1]))
    }
}
