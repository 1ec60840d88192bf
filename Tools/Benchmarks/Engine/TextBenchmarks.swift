import Benchmark
import Tokenizers

func textBenchmarks() {
    /// 2000 characters of words that the tokenizer has merges for.
    Benchmark.define("tokenizer.encode2000") {
        (try Tokenizer.closed(symbols: words, beginning: "<s>", end: "</s>"), text)
    } body: { tokenizer, text in
        let tokens = try tokenizer.encode(text, addSpecialTokens: true)
        precondition(tokens.count > 100, "the text is shorter than thought")
    }
}

private let words = [
    " quantity", " number", " apples", " pears", " and", " then", " together", " equals", " minus", " times", " 1",
    " 2", " 3", " 10", ".", "?", "\n",
]

private let text = String((0..<400).map { words[$0 * $0 % words.count] }.joined().prefix(2000))
