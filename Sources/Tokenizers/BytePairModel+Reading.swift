extension BytePairModel {
    /// Reads `model` of tokenizer.json.
    init(_ field: JSONField, ids: [ExactString: Int32]) throws {
        func id(_ token: Substring, _ field: JSONField) throws -> Int32 {
            guard let id = ids[ExactString(String(token))] else { throw field.failure("\"\(token)\" is no token") }
            return id
        }
        var merges: [(key: UInt64, value: UInt64)] = []
        var joints: [(key: UInt64, value: UInt64)] = []
        for (rank, merge) in try field["merges"].elements().enumerated() {
            let (left, right) = try Self.parts(of: merge)
            let result = try id(left + right, merge)
            merges.append((Self.pair(try id(left, merge), try id(right, merge)), Self.pair(Int32(rank), result)))
            if let last = left.unicodeScalars.last, let first = right.unicodeScalars.first {
                joints.append((Self.joint(last.value, first.value), 0))
            }
        }
        self.joints = PairTable(joints)
        self.merges = PairTable(merges)
        scalars = PairTable(
            ids.compactMap { token, id in
                let scalars = token.text.unicodeScalars
                guard let first = scalars.first, scalars.dropFirst().isEmpty else { return nil }
                return (UInt64(first.value), UInt64(id))
            })
        unknownCharacter = try Self.unknownCharacter(field, ids: ids)
        switch unknownCharacter {
        case .bytes: unknownEdges = (UInt32(UInt8(ascii: "<")), UInt32(UInt8(ascii: ">")))
        case .token:
            let token = try field["unk_token"].string().unicodeScalars
            unknownEdges = (token.first?.value ?? 0, token.last?.value ?? 0)
        case .refused: unknownEdges = (0, 0)
        }
    }

    /// A merge is `["left", "right"]` or, in older files, `"left right"`.
    private static func parts(of field: JSONField) throws -> (Substring, Substring) {
        if case .string(let text) = field.value {
            let parts = text.unicodeScalars.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw field.failure("expected two tokens joined by a space") }
            return (Substring(parts[0]), Substring(parts[1]))
        }
        let parts = try field.elements()
        guard parts.count == 2 else { throw field.failure("expected two tokens") }
        return (Substring(try parts[0].string()), Substring(try parts[1].string()))
    }

    private static func unknownCharacter(_ field: JSONField, ids: [ExactString: Int32]) throws -> UnknownCharacter {
        if try field["byte_fallback"].boolean(or: false) {
            let bytes = (0..<256).compactMap { byte in
                let digits = String(byte, radix: 16, uppercase: true)
                return ids[ExactString("<0x\(digits.count == 1 ? "0" : "")\(digits)>")]
            }
            guard bytes.count == 256 else {
                throw field["byte_fallback"].failure(
                    "only \(bytes.count) of the tokens <0x00> to <0xFF> are in the vocabulary")
            }
            return .bytes(bytes)
        }
        guard !field["unk_token"].isNull else { return .refused }
        let name = try field["unk_token"].string()
        guard let id = ids[ExactString(name)] else { throw field["unk_token"].failure("\"\(name)\" is no token") }
        return .token(id, fusesRuns: try field["fuse_unk"].boolean(or: false))
    }
}
