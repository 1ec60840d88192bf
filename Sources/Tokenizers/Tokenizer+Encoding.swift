import Foundation

extension Tokenizer {
    /// Asked for once: the system reads several files to tell.
    private static let mostScratches = ProcessInfo.processInfo.activeProcessorCount

    /// The ids of a text.
    ///
    /// - Parameters:
    ///   - addSpecialTokens: Adds what the files say around a text: `beginning` where `addsBeginning`, and so on.
    ///   - matchesAddedTokens: Finds special and other added tokens such as `</s>` written out in the text. Leave it
    ///     false for text from outside, which could else forge them.
    ///
    /// Throws `TokenizerError.unknownCharacter` where the vocabulary has no token for a character and no substitute.
    public func encode(
        _ text: String, addSpecialTokens: Bool, matchesAddedTokens: Bool = false
    ) throws -> [Int32] {
        var output: [Int32] = addSpecialTokens ? prefix : []
        var scratch = scratches.withLock { $0.popLast() } ?? EncodingScratch()
        if matchesAddedTokens {
            try encodeMatching(text, &scratch, into: &output)
        } else {
            try encode(text, offset: 0, isFirst: true, matchesNormalized: false, &scratch, into: &output)
        }
        scratches.withLock { [scratch] in
            if $0.count < Self.mostScratches { $0.append(scratch) }
        }
        if addSpecialTokens { output += suffix }
        return output
    }

    private func encodeMatching(_ text: String, _ scratch: inout EncodingScratch, into output: inout [Int32]) throws {
        var text = text
        try text.withUTF8 { bytes in
            var offset = 0
            var counted = 0
            for piece in addedTokens.splitRaw(bytes) {
                switch piece {
                case .token(let id, _): output.append(id)
                case .text(let range):
                    // Tokens that strip the same spaces lie over one another; texts do not.
                    offset += bytes[counted..<range.lowerBound].scalarCount
                    counted = range.lowerBound
                    let text = String(decoding: bytes[range], as: UTF8.self)
                    try encode(
                        text, offset: offset, isFirst: range.lowerBound == 0, matchesNormalized: true, &scratch,
                        into: &output)
                }
            }
        }
    }

    /// Encodes what stands between added tokens.
    ///
    /// - Parameters:
    ///   - offset: Scalars of the whole text before this one, for errors.
    ///   - isFirst: Whether the whole text starts here.
    private func encode(
        _ text: String, offset: Int, isFirst: Bool, matchesNormalized: Bool,
        _ scratch: inout EncodingScratch, into output: inout [Int32]
    ) throws {
        var normalized = normalizer(text)
        try normalized.withUTF8 { bytes in
            let pieces = matchesNormalized ? addedTokens.splitNormalized(bytes) : [.text(0..<bytes.count)]
            for piece in pieces {
                switch piece {
                case .token(let id, _): output.append(id)
                case .text(let range):
                    let isFirst = isFirst && range.lowerBound == 0
                    do throws(TokenizerError) {
                        try encodeWords(
                            PreTokenizer.Piece(bytes: bytes, range: range, isFirst: isFirst), &scratch, into: &output)
                    } catch {
                        throw error.moved(by: offset)
                    }
                }
            }
        }
    }

    private func encodeWords(
        _ piece: PreTokenizer.Piece, _ scratch: inout EncodingScratch, into output: inout [Int32]
    ) throws(TokenizerError) {
        try preTokenizer.forEachWord(in: piece) { bytes, word throws(TokenizerError) in
            try model.encode(bytes, word, &scratch, into: &output)
        }
    }
}

extension Slice<UnsafeBufferPointer<UInt8>> {
    fileprivate var scalarCount: Int {
        count { $0 & 0xc0 != 0x80 }
    }
}

extension TokenizerError {
    /// The same, further into a text by that many scalars.
    fileprivate func moved(by offset: Int) -> TokenizerError {
        guard case .unknownCharacter(let character, let own) = self else { return self }
        return .unknownCharacter(character, offset: own + offset)
    }
}
