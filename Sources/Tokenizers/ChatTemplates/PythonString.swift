/// A string's UTF-8, with the methods of Python's `str`. Searching bytes finds what searching characters would.
struct PythonString {
    var bytes: [UInt8]

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    private init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }
    var isEmpty: Bool { bytes.isEmpty }

    /// The index of a byte, in time linear in both lengths (Knuth, Morris and Pratt).
    func firstIndex(of part: PythonString, from start: Int = 0) -> Int? {
        if part.isEmpty { return start }
        return part.search().next(in: bytes, from: start)
    }

    /// Where the parts lie that do not overlap, from the left.
    private func indices(of part: PythonString, most: Int) -> some Sequence<Int> {
        let search = part.search()
        return sequence(state: (start: 0, left: most)) { state in
            guard state.left > 0, let index = search.next(in: bytes, from: state.start) else { return nil }
            state = (index + part.bytes.count, state.left - 1)
            return index
        }
    }

    private func search() -> Search {
        Search(bytes)
    }

    private struct Search {
        let part: [UInt8]
        /// For every prefix, the length of the longest shorter one that ends it.
        private var borders: [Int]

        init(_ part: [UInt8]) {
            self.part = part
            borders = [0]
            var length = 0
            for index in part.indices.dropFirst() {
                while length > 0, part[index] != part[length] { length = borders[length - 1] }
                if part[index] == part[length] { length += 1 }
                borders.append(length)
            }
        }

        func next(in bytes: [UInt8], from start: Int) -> Int? {
            var length = 0
            var index = start
            while index < bytes.count {
                while length > 0, bytes[index] != part[length] { length = borders[length - 1] }
                if bytes[index] == part[length] { length += 1 }
                index += 1
                if length == part.count { return index - length }
            }
            return nil
        }
    }

    func count(of part: PythonString) -> Int {
        indices(of: part, most: .max).reduce(0) { count, _ in count + 1 }
    }

    // MARK: Parts, each of which is counted before it is made

    /// `split`, and with `fromEnd` `rsplit`, by a separator that is not empty; `most` is the number of cuts.
    func split(
        by separator: PythonString, most: Int, fromEnd: Bool, _ budget: inout TemplateBudget
    ) throws(TemplateFault) -> [PythonString] {
        // Of occurrences that overlap the last one counts from the end.
        let (text, part) = fromEnd ? (reversed(), separator.reversed()) : (self, separator)
        var cuts: [Int] = []
        for index in text.indices(of: part, most: most) {
            try budget.charge()
            cuts.append(index)
        }
        let size = separator.bytes.count
        if fromEnd { cuts = cuts.reversed().map { bytes.count - $0 - size } }
        var parts: [PythonString] = []
        var start = 0
        for cut in cuts {
            parts.append(PythonString(bytes[start..<cut]))
            start = cut + size
        }
        return parts + [PythonString(bytes[start...])]
    }

    /// `split()`: by runs of spaces, none of which is left.
    func splitBySpaces(_ budget: inout TemplateBudget) throws(TemplateFault) -> [PythonString] {
        var words: [PythonString] = []
        var rest = text.unicodeScalars[...]
        while let start = rest.firstIndex(where: { !PythonText.isSpace($0) }) {
            let end = rest[start...].firstIndex(where: PythonText.isSpace) ?? rest.endIndex
            try budget.charge()
            words.append(PythonString(String(rest[start..<end])))
            rest = rest[end...]
        }
        return words
    }

    private func reversed() -> PythonString {
        PythonString(bytes.reversed())
    }

    /// Without the last line's end; lines end as Python says.
    func lines(_ budget: inout TemplateBudget) throws(TemplateFault) -> [PythonString] {
        var lines: [PythonString] = []
        var line = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        var isOpen = false
        for scalar in text.unicodeScalars {
            defer { previous = scalar }
            if scalar == "\n", previous == "\r" { continue }
            switch scalar.value {
            case 0x0a...0x0d, 0x1c...0x1e, 0x85, 0x2028, 0x2029:
                try budget.charge()
                lines.append(PythonString(String(line)))
                line = String.UnicodeScalarView()
                isOpen = false
            default:
                line.append(scalar)
                isOpen = true
            }
        }
        return isOpen ? lines + [PythonString(String(line))] : lines
    }

    func replacing(_ old: PythonString, with new: PythonString, most: Int) -> PythonString {
        var result: [UInt8] = []
        var start = 0
        for index in indices(of: old, most: most) {
            result += bytes[start..<index] + new.bytes
            start = index + old.bytes.count
        }
        return PythonString(result + bytes[start...])
    }

    /// `strip`, `lstrip`, `rstrip`: spaces, or the characters given.
    func stripped(_ characters: String?, left: Bool, right: Bool) -> PythonString {
        let set = characters.map { Set($0.unicodeScalars) }
        func goes(_ scalar: Unicode.Scalar) -> Bool { set.map { $0.contains(scalar) } ?? PythonText.isSpace(scalar) }
        var scalars = text.unicodeScalars[...]
        while left, let first = scalars.first, goes(first) { scalars.removeFirst() }
        while right, let last = scalars.last, goes(last) { scalars.removeLast() }
        return PythonString(String(scalars))
    }
}
