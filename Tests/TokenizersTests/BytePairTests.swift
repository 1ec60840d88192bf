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
                let (left, right) = (tokens[below(tokens.count)], tokens[below(tokens.count)])
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
                let found = try tokenizer.encode(text, addSpecialTokens: false).map { tokenizer.token(for: $0) }
                #expect(found == Self.reference(text, merges), "\(text) by \(merges)")
            }
        }
    }
}
