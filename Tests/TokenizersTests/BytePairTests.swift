import Testing
import Trajectories

@testable import Tokenizers

/// Byte-pair encoding against its definition, on random vocabularies and texts, short and long.
struct BytePairTests {
    /// Looks through the whole text for each merge.
    private static func reference(_ text: String, _ merges: [(String, String)]) -> [String] {
        var symbols = text.map(String.init)
        while true {
            let found = merges.lazy.compactMap { left, right in
                symbols.indices.dropLast().first { symbols[$0] == left && symbols[$0 + 1] == right }
            }.first
            guard let index = found else { return symbols }
            symbols[index] += symbols.remove(at: index + 1)
        }
    }

    @Test func tokensAreThoseOfTheDefinition() throws {
        let stream = RandomStream(seed: 99, purpose: .problems)
        var position = 0
        func below(_ bound: Int) -> Int {
            defer { position += 1 }
            return Int(stream.words(at: position).x) % bound
        }
        for round in 0..<60 {
            var tokens = ["a", "b", "c", "d"]
            var merges: [(String, String)] = []
            for _ in 0..<(6 + below(40)) {
                // Short tokens are drawn more often, so that merges compete for the same characters.
                let (left, right) = (tokens[below(1 + below(tokens.count))], tokens[below(1 + below(tokens.count))])
                guard (left + right).count <= 12, !merges.contains(where: { $0 == (left, right) }) else { continue }
                merges.append((left, right))
                if !tokens.contains(left + right) { tokens.append(left + right) }
            }
            // Ranks need not follow the order in which tokens are built.
            if round.isMultiple(of: 2) { merges.reverse() }
            let vocabulary = tokens.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: ", ")
            let list = merges.map { "[\"\($0)\", \"\($1)\"]" }.joined(separator: ", ")
            let tokenizer = try TokenizerVariantTests.tokenizer(
                """
                {"normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": {"type": "Fuse"},
                 "model": {"type": "BPE", "vocab": {\(vocabulary)}, "merges": [\(list)]}}
                """)
            for length in [1, 2, 5, 20, 24, 25, 26, 40, 70] {
                let letters = 2 + below(3)
                let text = (0..<length).map { _ in tokens[below(letters)] }.joined()
                let expected = Self.reference(text, merges).map { tokenizer.id(of: $0) }
                #expect(try tokenizer.encode(text, addSpecialTokens: false) == expected, "\(text) by \(merges)")
                for scannedLength in [0, .max] {
                    var segment = BytePairSegment(scannedLength: scannedLength)
                    for letter in text { segment.append(try #require(tokenizer.id(of: String(letter)))) }
                    var found: [Int32] = []
                    segment.merge(by: tokenizer.model.merges, into: &found)
                    #expect(found == expected, "\(text) by \(merges)")
                }
            }
        }
    }

    /// After b and c are merged, the candidate a + b is stale; taking its place for a + bc would forestall bc + d.
    @Test(arguments: [0, 24])
    func staleCandidatesAreSkipped(scannedLength: Int) {
        let (a, b, c, d, bc, ab, bcd, abc): (Int32, Int32, Int32, Int32, Int32, Int32, Int32, Int32) = (
            0, 1, 2, 3, 4, 5, 6, 7
        )
        let merges = [(b, c, bc), (a, b, ab), (bc, d, bcd), (a, bc, abc)].enumerated().map { rank, merge in
            (BytePairModel.pair(merge.0, merge.1), BytePairModel.pair(Int32(rank), merge.2))
        }
        var segment = BytePairSegment(scannedLength: scannedLength)
        for id in [a, b, c, d] { segment.append(id) }
        var found: [Int32] = []
        segment.merge(by: PairTable(merges.map { (key: $0, value: $1) }), into: &found)
        #expect(found == [a, bcd])
    }
}
