import Files

extension BytePairModel {
    /// What `model` of tokenizer.json says beside its vocabulary and merges; its fields are absent for other files.
    struct Options {
        let field: JSONField
        /// Whether words come as bytes.
        let isByteLevel: Bool

        /// Throws for whatever would change ids and is not supported.
        func check() throws {
            guard field["dropout"].isNull else { throw field["dropout"].failure("dropout is not supported") }
            for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
                if case .string("") = field[name].value { continue }
                guard field[name].isNull else { throw field[name].failure("not supported") }
            }
        }
    }

    /// - Parameters:
    ///   - vocabulary: The ids of the tokens, without those added later.
    init(_ options: Options, merges list: MergeList, vocabulary: [ExactString: Int32]) throws {
        func id(_ token: Substring, _ rank: Int) throws -> Int32 {
            guard let id = vocabulary[ExactString(String(token))] else {
                throw list.failure(rank, "\"\(token)\" is no token")
            }
            return id
        }
        var merges: [(key: UInt64, value: UInt64)] = []
        var joints: [(key: UInt64, value: UInt64)] = []
        merges.reserveCapacity(list.count)
        for rank in 0..<list.count {
            let (left, right) = try list.parts(rank)
            let result = try id(left + right, rank)
            merges.append((Self.pair(try id(left, rank), try id(right, rank)), Self.pair(Int32(rank), result)))
            if !options.isByteLevel, let last = left.unicodeScalars.last, let first = right.unicodeScalars.first {
                joints.append((Self.joint(last.value, first.value), 0))
            }
        }
        self.joints = PairTable(joints)
        self.merges = PairTable(merges)
        let field = options.field
        try options.check()
        let unknown = try Self.unknownCharacter(field, vocabulary)
        alphabet =
            if options.isByteLevel {
                .bytes(try Self.bytes(vocabulary, field, unknown))
            } else {
                .scalars(Self.scalars(vocabulary))
            }
        unknownCharacter = unknown
        wholeWords =
            try field["ignore_merges"].boolean(or: false)
            ? Self.wholeWords(vocabulary, isByteLevel: options.isByteLevel) : nil
        switch unknownCharacter {
        case .bytes: unknownEdges = (UInt32(UInt8(ascii: "<")), UInt32(UInt8(ascii: ">")))
        case .token:
            let token = try field["unk_token"].string().unicodeScalars
            unknownEdges = (token.first?.value ?? 0, token.last?.value ?? 0)
        case .refused: unknownEdges = (0, 0)
        }
    }

    private static func scalars(_ vocabulary: [ExactString: Int32]) -> PairTable {
        PairTable(
            vocabulary.compactMap { token, id in
                let scalars = token.text.unicodeScalars
                guard let first = scalars.first, scalars.dropFirst().isEmpty else { return nil }
                return (UInt64(first.value), UInt64(id))
            })
    }

    private static func bytes(
        _ vocabulary: [ExactString: Int32], _ field: JSONField, _ unknown: UnknownCharacter
    ) throws -> [Int32] {
        let ids = ByteLevelAlphabet.scalars.map { vocabulary[ExactString(String($0))] ?? noToken }
        if case .bytes = unknown, ids.contains(noToken) {
            throw field["byte_fallback"].failure("supported beside ByteLevel only where each byte has a token")
        }
        return ids
    }

    private static func wholeWords(_ vocabulary: [ExactString: Int32], isByteLevel: Bool) -> [WordKey: Int32] {
        var words: [WordKey: Int32] = [:]
        words.reserveCapacity(vocabulary.count)
        for (token, id) in vocabulary {
            let bytes = isByteLevel ? ByteLevelAlphabet.bytes(of: token.text) : Array(token.text.utf8)
            if let bytes { words[WordKey(bytes: bytes)] = id }
        }
        return words
    }

    private static func unknownCharacter(
        _ field: JSONField, _ vocabulary: [ExactString: Int32]
    ) throws -> UnknownCharacter {
        if try field["byte_fallback"].boolean(or: false) {
            let bytes = (0..<256).compactMap { byte in
                let digits = String(byte, radix: 16, uppercase: true)
                return vocabulary[ExactString("<0x\(digits.count == 1 ? "0" : "")\(digits)>")]
            }
            guard bytes.count == 256 else {
                throw field["byte_fallback"].failure(
                    "only \(bytes.count) of the tokens <0x00> to <0xFF> are in the vocabulary")
            }
            return .bytes(bytes)
        }
        guard !field["unk_token"].isNull else { return .refused }
        let name = try field["unk_token"].string()
        guard let id = vocabulary[ExactString(name)] else {
            throw field["unk_token"].failure("\"\(name)\" is no token")
        }
        return .token(id, fusesRuns: try field["fuse_unk"].boolean(or: false))
    }
}
