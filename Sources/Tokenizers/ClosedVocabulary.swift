import Files
import HeapModule
import OrderedCollections

/// The tokens and merges of a closed vocabulary.
///
/// For a symbol c₁…cₙ, merging prefix by prefix succeeds if the merge of every prefix outranks each merge that could
/// join later characters of the symbol, and those are merges of two characters only. So merges of longer prefixes come
/// first, and merges of two characters follow in an order in which (c₁, c₂) precedes each other pair of the symbol; a
/// topological sort finds one if there is one.
struct ClosedVocabulary {
    /// Special tokens, characters, then prefixes; the index is the id.
    private(set) var tokens: OrderedSet<ExactString> = []
    /// By rank.
    private(set) var merges: [Merge] = []
    private let specialCount: Int

    struct Merge: Hashable {
        let left: ExactString
        let right: ExactString
    }

    init(symbols: [String], special: [String]) throws {
        for token in special {
            guard !token.isEmpty, tokens.append(ExactString(token)).inserted else {
                throw TokenizerError.impossibleSymbol(token, reason: "is empty, or is two special tokens at once")
            }
        }
        specialCount = special.count
        for symbol in symbols {
            guard !symbol.isEmpty else { throw TokenizerError.impossibleSymbol(symbol, reason: "is empty") }
            guard !tokens.prefix(specialCount).contains(ExactString(symbol)) else {
                throw TokenizerError.impossibleSymbol(symbol, reason: "is a special token")
            }
        }
        for character in symbols.lazy.flatMap(\.unicodeScalars) {
            try addToken(String(character))
        }
        var pairs: OrderedSet<Merge> = []
        var longer: OrderedSet<Merge> = []
        for symbol in symbols {
            var prefix = ""
            for (index, character) in symbol.unicodeScalars.enumerated() {
                let merge = Merge(left: ExactString(prefix), right: ExactString(String(character)))
                prefix.unicodeScalars.append(character)
                if index == 0 { continue }
                try addToken(prefix)
                if index == 1 { pairs.append(merge) } else { longer.append(merge) }
            }
        }
        merges = Array(longer) + Self.ordered(pairs, symbols: symbols)
    }

    private mutating func addToken(_ token: String) throws {
        let (_, index) = tokens.append(ExactString(token))
        guard index >= specialCount else {
            throw TokenizerError.impossibleSymbol(token, reason: "is a special token and part of a symbol")
        }
    }

    /// Sorts pairs so that each symbol's first pair precedes its others; of those free to come next, the earliest
    /// given.
    private static func ordered(_ pairs: OrderedSet<Merge>, symbols: [String]) -> [Merge] {
        var followers: [OrderedSet<Int>] = Array(repeating: [], count: pairs.count)
        var predecessors = Array(repeating: 0, count: pairs.count)
        for symbol in symbols {
            let characters = symbol.unicodeScalars.map { ExactString(String($0)) }
            let indices = zip(characters, characters.dropFirst()).map {
                pairs.firstIndex(of: Merge(left: $0, right: $1))
            }
            guard let first = indices.first.flatMap({ $0 }) else { continue }
            for case .some(let other) in indices.dropFirst() where other != first {
                if followers[first].append(other).inserted { predecessors[other] += 1 }
            }
        }
        var ready = Heap(pairs.indices.filter { predecessors[$0] == 0 })
        var order: [Int] = []
        while let next = ready.popMin() {
            order.append(next)
            for follower in followers[next] {
                predecessors[follower] -= 1
                if predecessors[follower] == 0 { ready.insert(follower) }
            }
        }
        // A cycle leaves pairs over. They come last, and the symbols that they spoil are found by encoding every
        // symbol.
        let placed = Set(order)
        return (order + pairs.indices.filter { !placed.contains($0) }).map { pairs[$0] }
    }

    /// tokenizer.json: no normalizer, no pre-tokenizer; `beginning`, the first special token, before a text.
    var tokenizerFile: String {
        let special = tokens.prefix(specialCount).enumerated().map { id, token in
            """
                {
                  "id": \(id),
                  "content": \(JSONValue.literal(token.text)),
                  "single_word": false,
                  "lstrip": false,
                  "rstrip": false,
                  "normalized": false,
                  "special": true
                }
            """
        }
        let beginning = JSONValue.literal(tokens[0].text)
        let vocabulary = tokens.enumerated().map { "      \(JSONValue.literal($1.text)): \($0)" }
        let merges = merges.map { "      [\(JSONValue.literal($0.left.text)), \(JSONValue.literal($0.right.text))]" }
        return """
            {
              "version": "1.0",
              "truncation": null,
              "padding": null,
              "added_tokens": [
            \(special.joined(separator: ",\n"))
              ],
              "normalizer": null,
              "pre_tokenizer": null,
              "post_processor": {
                "type": "TemplateProcessing",
                "single": [
                  {"SpecialToken": {"id": \(beginning), "type_id": 0}},
                  {"Sequence": {"id": "A", "type_id": 0}}
                ],
                "pair": [
                  {"SpecialToken": {"id": \(beginning), "type_id": 0}},
                  {"Sequence": {"id": "A", "type_id": 0}},
                  {"Sequence": {"id": "B", "type_id": 1}}
                ],
                "special_tokens": {
                  \(beginning): {"id": \(beginning), "ids": [0], "tokens": [\(beginning)]}
                }
              },
              "decoder": {
                "type": "Fuse"
              },
              "model": {
                "type": "BPE",
                "dropout": null,
                "unk_token": null,
                "continuing_subword_prefix": null,
                "end_of_word_suffix": null,
                "fuse_unk": false,
                "byte_fallback": false,
                "ignore_merges": false,
                "vocab": {
            \(vocabulary.joined(separator: ",\n"))
                },
                "merges": [
            \(merges.joined(separator: ",\n"))
                ]
              }
            }

            """
    }
}
