/// The textbook algorithm, quadratic and plain: split into characters, then merge the pair of lowest rank, leftmost first,
/// until none is left. Merges are made in the order of the symbols, each symbol built prefix by prefix.
struct ReferenceBytePair {
    private var ranks: [[String]: Int] = [:]
    private(set) var tokens: Set<String>

    init(symbols: [String]) {
        tokens = Set(symbols.filter { $0.count == 1 })
        for symbol in symbols where symbol.count > 1 {
            var prefix = String(symbol.prefix(1))
            for character in symbol.dropFirst() {
                let pair = [prefix, String(character)]
                if ranks[pair] == nil { ranks[pair] = ranks.count }
                prefix.append(character)
                tokens.insert(prefix)
            }
        }
    }

    func encode(_ text: String) -> [String] {
        var pieces = text.map(String.init)
        while true {
            let best = zip(pieces, pieces.dropFirst()).compactMap { ranks[[$0, $1]] }.min()
            guard let best else { return pieces }
            var merged: [String] = []
            for piece in pieces {
                if let last = merged.last, ranks[[last, piece]] == best {
                    merged[merged.count - 1] = last + piece
                } else {
                    merged.append(piece)
                }
            }
            pieces = merged
        }
    }
}
