extension QuantityGraph {
    /// The question's symbols, one a token: `a=5-6|e=a*g|…|?e` and a line feed.
    public var questionSymbols: [String] {
        definitions.flatMap { $0.symbols + ["|"] } + ["?", question.description, "\n"]
    }

    /// What the student is given.
    public var questionText: String { questionSymbols.joined() }

    /// Reads a question back. Throws `QuantityGraphError.malformed`, or what the definitions violate.
    public init(questionText: String, modulus: Int) throws(QuantityGraphError) {
        var scanner = SymbolScanner(questionText)
        var definitions: [QuantityDefinition] = []
        while !scanner.take("?") {
            guard let name = scanner.takeName(), scanner.take("="), let definition = scanner.takeInfix(name),
                scanner.take("|")
            else {
                throw .malformed(offset: scanner.position, expected: "a definition such as e=a*g|, or ?")
            }
            definitions.append(definition)
        }
        guard let question = scanner.takeName(), scanner.take("\n"), scanner.isAtEnd else {
            throw .malformed(offset: scanner.position, expected: "a name and a line feed, then the end")
        }
        try self.init(modulus: modulus, definitions: definitions, question: question)
    }
}
