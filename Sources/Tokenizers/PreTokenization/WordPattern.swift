/// A pattern that cuts a text into words, known by its exact text in tokenizer.json.
///
/// These are not regular expressions but what they say, written out: each finds its words in one pass.
enum WordPattern: Sendable, CaseIterable {
    case gpt2
    case llama3
    case qwen2

    init?(_ text: String) {
        guard let pattern = Self.allCases.first(where: { $0.text == text }) else { return nil }
        self = pattern
    }

    var text: String {
        switch self {
        case .gpt2: #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
        case .llama3: Self.modern(numbers: #"\p{N}{1,3}"#)
        case .qwen2: Self.modern(numbers: #"\p{N}"#)
        }
    }

    private static func modern(numbers: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + numbers
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// Whether only a space may stand before the letters and numbers of a word, and lines' ends are spaces like others.
    var isPlain: Bool { self == .gpt2 }

    /// How many numbers make a word at most.
    var longestNumber: Int {
        switch self {
        case .gpt2: .max
        case .llama3: 3
        case .qwen2: 1
        }
    }
}
