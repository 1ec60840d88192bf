extension PreTokenizer {
    /// A stretch of a text, UTF-8.
    struct Piece {
        let bytes: UnsafeBufferPointer<UInt8>
        let range: Range<Int>
        /// Whether the whole text starts here.
        let isFirst: Bool
    }

    /// Calls `body` with every word of the piece, in order.
    func forEachWord(in piece: Piece, _ body: (UnsafeBufferPointer<UInt8>, Range<Int>) throws(TokenizerError) -> Void)
        throws(TokenizerError)
    {
        try apply(steps[...], to: piece, body)
    }

    private func apply(
        _ steps: ArraySlice<Step>, to piece: Piece,
        _ body: (UnsafeBufferPointer<UInt8>, Range<Int>) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        guard !piece.range.isEmpty else { return }
        guard let step = steps.first else { return try body(piece.bytes, piece.range) }
        let later = steps.dropFirst()
        var start = piece.range.lowerBound
        func emit(upTo end: Int) throws(TokenizerError) {
            defer { start = end }
            if later.isEmpty {
                try body(piece.bytes, start..<end)
            } else {
                let isFirst = piece.isFirst && start == piece.range.lowerBound
                try apply(later, to: Piece(bytes: piece.bytes, range: start..<end, isFirst: isFirst), body)
            }
        }
        switch step {
        case .pattern(let pattern):
            let scanner = WordScanner(piece.bytes, end: piece.range.upperBound, pattern: pattern)
            while start < piece.range.upperBound { try emit(upTo: scanner.wordEnd(from: start)) }
        case .digits(let individual):
            while start < piece.range.upperBound {
                try emit(upTo: Self.numbersEnd(piece, from: start, individual: individual))
            }
        case .spacePrefix:
            guard piece.bytes[start] != UInt8(ascii: " ") else { return try apply(later, to: piece, body) }
            let prefixed = [UInt8(ascii: " ")] + piece.bytes[piece.range]
            try prefixed.withUnsafeBufferPointer { bytes throws(TokenizerError) in
                try apply(later, to: Piece(bytes: bytes, range: 0..<bytes.count, isFirst: piece.isFirst), body)
            }
        case .metaspace(let metaspace):
            let replaced = metaspace.replaced(piece)
            try replaced.withUnsafeBufferPointer { bytes throws(TokenizerError) in
                for range in metaspace.words(replaced) {
                    let isFirst = piece.isFirst && range.lowerBound == 0
                    try apply(later, to: Piece(bytes: bytes, range: range, isFirst: isFirst), body)
                }
            }
        }
    }

    /// The end of what starts at `start`: one number, a run of them, or a run of anything else.
    private static func numbersEnd(_ piece: Piece, from start: Int, individual: Bool) -> Int {
        let table = CharacterClass.table
        var scalar = UTF8Scalar(piece.bytes, at: start)
        let isNumber = table[scalar.value] == .number
        var index = start + scalar.length
        if isNumber, individual { return index }
        while index < piece.range.upperBound {
            scalar = UTF8Scalar(piece.bytes, at: index)
            guard (table[scalar.value] == .number) == isNumber else { break }
            index += scalar.length
        }
        return index
    }
}

extension PreTokenizer.Metaspace {
    /// The piece with its spaces replaced, and one put first.
    func replaced(_ piece: PreTokenizer.Piece) -> [UInt8] {
        var result: [UInt8] = []
        for byte in piece.bytes[piece.range] {
            if byte == UInt8(ascii: " ") { result += replacement } else { result.append(byte) }
        }
        let isPrefixed =
            switch prefix {
            case .always: true
            case .first: piece.isFirst
            case .never: false
            }
        return isPrefixed && !result.starts(with: replacement) ? replacement + result : result
    }

    /// Each starts with the replacement, but perhaps the first.
    func words(_ text: [UInt8]) -> [Range<Int>] {
        guard splits else { return [0..<text.count] }
        var words: [Range<Int>] = []
        var start = 0
        for index in text.indices.dropFirst() where text[index...].starts(with: replacement) {
            words.append(start..<index)
            start = index
        }
        words.append(start..<text.count)
        return words
    }
}
