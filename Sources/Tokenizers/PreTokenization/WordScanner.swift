/// Finds the words of a `WordPattern` in UTF-8, one after another.
struct WordScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    /// Words end here at the latest; what comes after is not looked at.
    let end: Int
    let pattern: WordPattern
    private let table = CharacterClass.table

    private struct Character {
        let kind: CharacterClass
        let length: Int
    }

    init(_ bytes: UnsafeBufferPointer<UInt8>, end: Int, pattern: WordPattern) {
        self.bytes = bytes
        self.end = end
        self.pattern = pattern
    }

    /// Where the word that starts at `start`, which is before `end`, ends. The alternatives are tried in the pattern's
    /// order; one of them always holds.
    func wordEnd(from start: Int) -> Int {
        if let end = contractionEnd(start) { return end }
        let first = character(start)
        let next = start + first.length
        switch first.kind {
        case .letter: return runEnd(of: .letter, from: next)
        case .number: return numberEnd(next)
        case .other:
            if !pattern.isPlain, kind(next) == .letter { return runEnd(of: .letter, from: next) }
            return otherEnd(next)
        case .space: return spacedEnd(start, next)
        }
    }

    /// `'s`, `'re` and the like; in any case but for the plain pattern, where ſ is an s as well.
    private func contractionEnd(_ start: Int) -> Int? {
        guard bytes[start] == UInt8(ascii: "'"), start + 1 < end else { return nil }
        let fold: UInt8 = pattern.isPlain ? 0 : 0x20
        func second(_ letter: Unicode.Scalar) -> Int? {
            start + 2 < end && bytes[start + 2] | fold == UInt8(ascii: letter) ? start + 3 : nil
        }
        switch bytes[start + 1] | fold {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return second("e")
        case UInt8(ascii: "l"): return second("l")
        default:
            let isLongS = !pattern.isPlain && bytes[start + 1] == 0xc5 && bytes[start + 2] == 0xbf
            return isLongS ? start + 3 : nil
        }
    }

    /// What a space at `start` begins; `next` is the character after it.
    private func spacedEnd(_ start: Int, _ next: Int) -> Int {
        let byte = bytes[start]
        let following = kind(next)
        if byte == UInt8(ascii: " "), following == .other { return otherEnd(next) }
        if pattern.isPlain {
            guard byte == UInt8(ascii: " ") else { return spacesEnd(start) }
            switch following {
            case .letter: return runEnd(of: .letter, from: next)
            case .number: return runEnd(of: .number, from: next)
            default: return spacesEnd(start)
            }
        }
        let isLineEnd = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
        if following == .letter, !isLineEnd { return runEnd(of: .letter, from: next) }
        return spacesEnd(start)
    }

    /// Spaces up to the last line's end among them; else all but the last if a word follows that could take it.
    private func spacesEnd(_ start: Int) -> Int {
        var index = start
        var last = start
        var afterLine: Int?
        while index < end {
            let current = character(index)
            guard current.kind == .space else { break }
            last = index
            index += current.length
            if bytes[last] == UInt8(ascii: "\n") || bytes[last] == UInt8(ascii: "\r") { afterLine = index }
        }
        if !pattern.isPlain, let afterLine { return afterLine }
        return index == end || last == start ? index : last
    }

    private func numberEnd(_ next: Int) -> Int {
        var index = next
        var count = 1
        while count < pattern.longestNumber, index < end {
            let current = character(index)
            guard current.kind == .number else { break }
            index += current.length
            count += 1
        }
        return index
    }

    private func otherEnd(_ next: Int) -> Int {
        var index = runEnd(of: .other, from: next)
        if pattern.isPlain { return index }
        while index < end, bytes[index] == UInt8(ascii: "\n") || bytes[index] == UInt8(ascii: "\r") { index += 1 }
        return index
    }

    private func runEnd(of kind: CharacterClass, from start: Int) -> Int {
        var index = start
        while index < end {
            let current = character(index)
            guard current.kind == kind else { break }
            index += current.length
        }
        return index
    }

    /// Nil at the end.
    private func kind(_ index: Int) -> CharacterClass? {
        index < end ? character(index).kind : nil
    }

    @inline(__always)
    private func character(_ index: Int) -> Character {
        let byte = bytes[index]
        if byte < 0x80 { return Character(kind: Self.ascii(byte), length: 1) }
        let scalar = UTF8Scalar(bytes, at: index)
        return Character(kind: table[scalar.value], length: scalar.length)
    }

    @inline(__always)
    private static func ascii(_ byte: UInt8) -> CharacterClass {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): .letter
        case UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        case 0x09...0x0d, 0x20: .space
        default: .other
        }
    }
}
