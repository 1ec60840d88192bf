/// The closed list of symbols that every text about quantity graphs is made of: each is one token.
///
/// A byte-pair tokenizer, with no splitting before it, builds each longer symbol prefix by prefix from characters, in the
/// list's order. Its greedy merging then gives exactly the symbols meant: no longer symbol is the beginning of another;
/// a word of the teacher begins with a capital, or with a space or comma before what no other text puts there; a name is
/// followed by `=`, `;` or `:` only in its role; two numbers never touch.
public struct QuantityGraphVocabulary: Sendable, Hashable {
    /// Single characters first, then longer symbols.
    public let symbols: [String]

    public init(modulus: Int, names nameCount: Int = QuantityName.count) {
        let names = QuantityName.all.prefix(nameCount).map(\.description)
        let roles = ["=", ";", ":"].flatMap { role in names.map { $0 + role } }
        let numbers = (0..<modulus).map(String.init)
        let separators = ["|", "?", "#", "\n", ","]
        let words =
            [TeacherPhrases.separator] + TeacherPhrases.openings.map(\.lead) + TeacherPhrases.solvings.map(\.lead)
            + [TeacherPhrases.answer] + QuantityOperator.allCases.map(TeacherPhrases.word)
            + TeacherPhrases.solvings.map(\.link)
        let longer = (roles + numbers + words).filter { $0.utf8.count > 1 }
        let characters = Set(longer.joined().map(String.init))
        let first =
            numbers.filter { $0.utf8.count == 1 } + QuantityOperator.allCases.map(\.description) + separators + names
        symbols = first + characters.subtracting(first).sorted() + longer
    }
}
