/// Normalization form C (Unicode Standard Annex 15), as the `tokenizers` library has it.
///
/// Foundation's composition knows other combining classes, and some of its results differ for marks that decompose
/// into several (U+0F73 after a letter with an accent to come).
struct ComposedForm: Sendable {
    static let shared = ComposedForm()

    /// Whether a scalar can change or be moved, or be joined to what precedes it.
    private enum Stability: UInt8, Sendable {
        case stable
        case unstable
    }

    private let stability: ScalarTable<Stability>
    private let classes: [UInt32: UInt8]
    private let decomposed: [UInt32: ArraySlice<UInt32>]
    private let composed: PairTable

    private init() {
        var classes: [UInt32: UInt8] = [:]
        for index in stride(from: 0, to: Self.combiningClasses.count, by: 3) {
            for scalar in Self.combiningClasses[index]...Self.combiningClasses[index + 1] {
                classes[scalar] = UInt8(Self.combiningClasses[index + 2])
            }
        }
        var decomposed: [UInt32: ArraySlice<UInt32>] = [:]
        var position = 0
        while position < Self.decompositions.count {
            let end = position + 2 + Int(Self.decompositions[position + 1])
            decomposed[Self.decompositions[position]] = Self.decompositions[position + 2..<end]
            position = end
        }
        var pairs: [(key: UInt64, value: UInt64)] = []
        var unstable = Set(classes.keys).union(decomposed.keys)
        for index in stride(from: 0, to: Self.compositions.count, by: 3) {
            let (first, second, whole) = (
                Self.compositions[index], Self.compositions[index + 1], Self.compositions[index + 2]
            )
            pairs.append((BytePairModel.joint(first, second), UInt64(whole)))
            unstable.remove(whole)
            unstable.insert(second)
        }
        unstable.formUnion(Hangul.vowels)
        unstable.formUnion(Hangul.trailing)
        self.classes = classes
        self.decomposed = decomposed
        composed = PairTable(pairs)
        stability = ScalarTable([(unstable.sorted().flatMap { [$0, $0] }, .unstable)], otherwise: .stable)
    }

    /// Text of stable scalars alone, whatever its length, is returned as it is.
    func callAsFunction(_ text: String) -> String {
        var text = text
        let result = text.withUTF8 { bytes -> String? in
            guard let first = unstable(bytes, from: 0) else { return nil }
            return normalized(bytes, firstUnstable: first)
        }
        return result ?? text
    }

    /// The index of the first unstable scalar; no scalar below U+0300 is.
    private func unstable(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            guard bytes[index] >= 0xcc else {
                index += 1
                continue
            }
            let scalar = UTF8Scalar(bytes, at: index)
            if stability[scalar.value] == .unstable { return index }
            index += scalar.length
        }
        return nil
    }

    /// Each stretch from the last stable scalar before an unstable one to the next stable one is normalized by itself:
    /// nothing composes across a stable scalar's beginning.
    private func normalized(_ bytes: UnsafeBufferPointer<UInt8>, firstUnstable: Int) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var copied = 0
        var found: Int? = firstUnstable
        var stretch: [UInt32] = []
        while let unstable = found {
            var start = unstable
            if start > copied { start -= UTF8Scalar(bytes, endingAt: start).length }
            output += bytes[copied..<start]
            stretch.removeAll(keepingCapacity: true)
            var end = start
            while end < bytes.count {
                let scalar = UTF8Scalar(bytes, at: end)
                if end > start, stability[scalar.value] == .stable { break }
                decompose(scalar.value, into: &stretch)
                end += scalar.length
            }
            order(&stretch)
            compose(&stretch)
            for value in stretch {
                if let scalar = Unicode.Scalar(value), let encoded = UTF8.encode(scalar) { output += encoded }
            }
            copied = end
            found = self.unstable(bytes, from: end)
        }
        output += bytes[copied...]
        return String(decoding: output, as: UTF8.self)
    }

    private func decompose(_ scalar: UInt32, into stretch: inout [UInt32]) {
        if let parts = Hangul.decompose(scalar) {
            stretch += parts
        } else if let parts = decomposed[scalar] {
            stretch += parts
        } else {
            stretch.append(scalar)
        }
    }

    /// Puts marks into the order of their classes, those of one class as they were.
    private func order(_ stretch: inout [UInt32]) {
        var start = 0
        while start < stretch.count {
            guard classes[stretch[start]] != nil else {
                start += 1
                continue
            }
            let end = stretch[start...].firstIndex { classes[$0] == nil } ?? stretch.count
            let marks = stretch[start..<end].enumerated().map { (classes[$1, default: 0], $0, $1) }
            stretch.replaceSubrange(start..<end, with: marks.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2))
            start = end
        }
    }

    private func compose(_ stretch: inout [UInt32]) {
        var kept = 0
        var starter: Int?
        var lastClass: UInt8 = 0
        for scalar in stretch {
            let ownClass = classes[scalar, default: 0]
            if let starter, kept == starter + 1 || (lastClass != 0 && lastClass < ownClass),
                let whole = composition(stretch[starter], scalar)
            {
                stretch[starter] = whole
                continue
            }
            if ownClass == 0 { starter = kept }
            lastClass = ownClass
            stretch[kept] = scalar
            kept += 1
        }
        stretch.removeSubrange(kept...)
    }

    private func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        Hangul.compose(first, second)
            ?? composed[BytePairModel.joint(first, second)].map { UInt32(truncatingIfNeeded: $0) }
    }
}

/// Hangul syllables (Unicode Standard, 3.12).
private enum Hangul {
    private static let syllables: UInt32 = 0xac00
    private static let leading: ClosedRange<UInt32> = 0x1100...0x1112
    static let vowels: ClosedRange<UInt32> = 0x1161...0x1175
    static let trailing: ClosedRange<UInt32> = 0x11a8...0x11c2
    /// One more: a syllable may have no trailing consonant.
    private static let trailingCount: UInt32 = 28
    private static let vowelCount: UInt32 = 21
    private static let count: UInt32 = 11172

    static func decompose(_ scalar: UInt32) -> [UInt32]? {
        guard scalar >= syllables, scalar < syllables + count else { return nil }
        let index = scalar - syllables
        let parts = [
            leading.lowerBound + index / (vowelCount * trailingCount),
            vowels.lowerBound + index % (vowelCount * trailingCount) / trailingCount,
        ]
        let last = index % trailingCount
        return last == 0 ? parts : parts + [trailing.lowerBound + last - 1]
    }

    static func compose(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if leading.contains(first), vowels.contains(second) {
            let pair = (first - leading.lowerBound) * vowelCount + second - vowels.lowerBound
            return syllables + pair * trailingCount
        }
        guard first >= syllables, first < syllables + count, (first - syllables).isMultiple(of: trailingCount),
            trailing.contains(second)
        else { return nil }
        return first + second - trailing.lowerBound + 1
    }
}
