/// Decodes a stream of ids; the pieces put together are exactly what `Tokenizer.decode` gives for all of them.
///
///     var decoder = IncrementalDecoder(tokenizer, skipSpecialTokens: true)
///     for id in ids { print(try decoder.append(id), terminator: "") }
///     print(decoder.finish())
///
/// Half a character is never emitted: bytes spelt by byte tokens are held back until another token, or the end, shows
/// that their run is complete. A run that is not UTF-8 gives one U+FFFD a byte, as in the `tokenizers` library. Of a
/// byte-level tokenizer, bytes are held back that begin a character.
public struct IncrementalDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipSpecialTokens: Bool
    private var run: [UInt8] = []
    /// The beginning of a character, of a byte-level tokenizer.
    private var heldBack: [UInt8] = []
    private var isFirst = true
    /// How many leading characters may still be stripped.
    private var remainingStrips: Int

    public init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
        remainingStrips = tokenizer.text.stripCount
    }

    /// The text that the id completes, possibly empty. Throws `TokenizerError.unknownToken`.
    public mutating func append(_ id: Int32) throws -> String {
        var bytes: [UInt8] = []
        try append(id, to: &bytes)
        guard tokenizer.text.isByteLevel else { return String(decoding: bytes, as: UTF8.self) }
        heldBack += bytes
        let complete = heldBack.count - UTF8Tail.length(of: heldBack)
        defer { heldBack.removeFirst(complete) }
        return String(decoding: heldBack[..<complete], as: UTF8.self)
    }

    /// The text of bytes still held back.
    public mutating func finish() -> String {
        var bytes = heldBack
        heldBack = []
        finish(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    mutating func append(_ id: Int32, to output: inout [UInt8]) throws {
        let index = Int(id)
        guard tokenizer.tokens.indices.contains(index), tokenizer.tokens[index] != nil else {
            throw TokenizerError.unknownToken(id, vocabularySize: tokenizer.vocabularySize)
        }
        if skipSpecialTokens, tokenizer.isSpecial[index] { return }
        if let byte = tokenizer.text.byteValue(index) {
            run.append(byte)
            return
        }
        finish(into: &output)
        if !isFirst { output += tokenizer.text.separator }
        isFirst = false
        emit(tokenizer.text[index], to: &output)
    }

    mutating func finish(into output: inout [UInt8]) {
        guard !run.isEmpty else { return }
        isFirst = false
        if String(validating: run, as: UTF8.self) != nil {
            emit(run[...], to: &output)
        } else {
            for _ in run {
                emit(Array("\u{fffd}".utf8)[...], to: &output)
            }
        }
        run.removeAll(keepingCapacity: true)
    }

    private mutating func emit(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        var bytes = bytes
        let stripped = tokenizer.text.stripped
        while remainingStrips > 0, !bytes.isEmpty {
            guard bytes.starts(with: stripped) else {
                remainingStrips = 0
                break
            }
            bytes = bytes.dropFirst(stripped.count)
            remainingStrips -= 1
        }
        output += bytes
    }
}
