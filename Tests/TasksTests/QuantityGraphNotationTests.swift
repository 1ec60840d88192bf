import Testing
import Trajectories

@testable import Tasks

@Suite struct QuantityGraphNotationTests {
    @Test func writesTheDocumentedText() throws {
        let graph = try QuantityGraph(questionText: "a=5-6|e=a*g|g=3+1|m=a+e|?e\n", modulus: 11)
        var generator = SplitMixGenerator(seed: 0)
        #expect(
            QuantityGraphNotation.student.text(of: graph.teacherPath(), in: graph, using: &generator)
                == "e=a*g|a=5-6|a;5-6a:10|g=3+1|g;3+1g:4|e;a:10*g:4e:7|#7")
        let teacher = QuantityGraphNotation.teacher.text(of: graph.teacherPath(), in: graph, using: &generator)
        #expect(teacher.contains(" e Prod a,g. ") || teacher.contains("up e Prod a,g. "))
        #expect(teacher.contains("Diff 5,6, ") && teacher.hasSuffix("Answer 7"))
        #expect(
            QuantityGraphNotation.read(teacher).structure.steps.suffix(2) == [
                Step(metaReasoning: "solve g", subProblem: "3+1", answer: "4"),
                Step(metaReasoning: "solve e", subProblem: "10*4", answer: "7"),
            ])
        #expect(
            QuantityGraphNotation.read("e=a*g|").structure.steps == [
                Step(metaReasoning: "open e", subProblem: "e=a*g", answer: "a*g")
            ])
    }

    @Test func bothNotationsAndTheirMixturesReadAsOneStructure() {
        var generator = SplitMixGenerator(seed: 21)
        for graph in QuantityGraphTests.graphs(2_000, seed: 22) {
            let path = graph.teacherPath()
            let texts = QuantityGraphNotation.allCases.map { $0.text(of: path, in: graph, using: &generator) }
            let readings = texts.map(QuantityGraphNotation.read)
            #expect(readings[0] == readings[1])
            #expect(readings[0].isWellFormed && readings[0].finalAnswer == String(graph.answer))
            #expect(readings[0].steps.map(\.action) == path)

            let mixed = path.map { action -> String in
                let notation: QuantityGraphNotation = generator.chance(0.5) ? .student : .teacher
                let symbols = notation.symbols(of: [action], in: graph, using: &generator)
                return symbols.dropLast(2).joined()
            }
            let reading = QuantityGraphNotation.read(mixed.joined() + "#\(graph.answer)")
            #expect(reading == readings[0])
        }
    }

    @Test func tokenizesIntoExactlyTheSymbolsMeant() {
        var generator = SplitMixGenerator(seed: 23)
        var tokenizers: [Int: ReferenceBytePair] = [:]
        for (index, graph) in QuantityGraphTests.graphs(400, seed: 24).enumerated() {
            let tokenizer =
                tokenizers[graph.modulus]
                ?? ReferenceBytePair(symbols: QuantityGraphVocabulary(modulus: graph.modulus).symbols)
            tokenizers[graph.modulus] = tokenizer
            let path = index % 2 == 0 ? graph.teacherPath() : graph.sloppyPath(digression: 0.3, using: &generator)
            for notation in QuantityGraphNotation.allCases {
                let symbols = graph.questionSymbols + notation.symbols(of: path, in: graph, using: &generator)
                #expect(tokenizer.encode(symbols.joined()) == symbols)
                #expect(symbols.allSatisfy(tokenizer.tokens.contains))
            }
        }
    }

    @Test func vocabularyIsClosedAndHasNoDuplicates() {
        for modulus in QuantityGraphConfiguration.moduli {
            let symbols = QuantityGraphVocabulary(modulus: modulus).symbols
            #expect(Set(symbols).count == symbols.count)
            let longer = symbols.filter { $0.count > 1 }
            #expect(Set(symbols.filter { $0.count == 1 }).isSuperset(of: longer.joined().map(String.init)))
            for symbol in longer {
                #expect(!longer.contains { $0 != symbol && $0.hasPrefix(symbol) }, "\(symbol) begins another")
            }
            #expect(symbols.contains(String(modulus - 1)) && !symbols.contains(String(modulus)))
        }
    }

    @Test func theTeacherIsCompactAndBoundsHold() throws {
        var generator = SplitMixGenerator(seed: 25)
        var counts = [0, 0]
        for graph in QuantityGraphTests.graphs(1_000, seed: 26) {
            let path = graph.teacherPath()
            let limit = CompletionLimit(graph: graph, slackSteps: 2)
            #expect(limit.steps == path.count + 2)
            for (index, notation) in QuantityGraphNotation.allCases.enumerated() {
                let symbols = notation.symbols(of: path, in: graph, using: &generator)
                counts[index] += symbols.count
                // The end-of-sequence is one more.
                #expect(symbols.count + 1 <= notation.tokenBound(of: path, in: graph))
                #expect(symbols.count + 1 + 2 * 9 <= limit.tokens(in: notation))
            }
            #expect(limit.studentTokens == QuantityGraphNotation.student.tokenBound(of: path, in: graph) + 18)
        }
        #expect(Double(counts[1]) / Double(counts[0]) < 1.6)
    }

    @Test(arguments: [
        ("", "no final answer, at byte 0", 0), ("e=a*g", "step 1 is in neither notation or incomplete, at byte 0", 0),
        ("e=a*g|", "no final answer, at byte 6", 1), ("e=a*g|#7x", "text after the final answer, at byte 8", 1),
        ("e;a:1*g:4f:6|", "step 1 is in neither notation or incomplete, at byte 0", 0),
        ("e;a:1*4e:07|", "step 1 is in neither notation or incomplete, at byte 0", 0),
        ("Thus e Prod a1,g4, giving f4. ", "step 1 is in neither notation or incomplete, at byte 0", 0),
        ("e=a*g|z=1+2|#7", "step 2 is in neither notation or incomplete, at byte 6", 1),
    ])
    func saysWhereReadingStopped(text: String, problem: String, steps: Int) {
        let reading = QuantityGraphNotation.read(text)
        #expect(reading.problem == problem)
        #expect(reading.steps.count == steps)
        #expect(!reading.isWellFormed)
    }

    @Test func readsAnyTextWithoutTrapping() {
        var generator = SplitMixGenerator(seed: 27)
        let symbols =
            QuantityGraphVocabulary(modulus: 23).symbols + ["é", "\u{0}", "🙂", "99", "007", "18446744073709551616"]
        let graphs = QuantityGraphTests.graphs(50, seed: 28)
        for round in 0..<4_000 {
            let graph = graphs[round % graphs.count]
            let notation: QuantityGraphNotation = round % 2 == 0 ? .student : .teacher
            var pieces =
                round % 3 == 0
                ? [] : notation.symbols(of: graph.teacherPath(), in: graph, using: &generator)
            for _ in 0..<(round % 3 == 0 ? 30 : 2) {
                let symbol = symbols[generator.index(below: symbols.count)]
                let position = generator.index(below: pieces.count + 1)
                if generator.chance(0.5) || position == pieces.count {
                    pieces.insert(symbol, at: position)
                } else {
                    pieces[position] = symbol
                }
            }
            let text = String(decoding: pieces.joined().utf8.dropLast(generator.index(below: 3)), as: UTF8.self)
            let reading = QuantityGraphNotation.read(text)
            #expect(reading.isWellFormed == (reading.problem == nil))
            #expect(!reading.isWellFormed || reading.finalAnswer != nil)
            let audit = PathAudit(reading, of: graph)
            #expect(audit.entries.count == reading.steps.count)
            _ = try? QuantityGraph(questionText: text, modulus: 11)
        }
    }
}
