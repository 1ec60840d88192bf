import Testing

@testable import Tasks

@Suite struct QuantityGraphTests {
    /// Graphs of all sizes, numbers of definitions and moduli.
    static func graphs(_ count: Int, seed: UInt64) -> [QuantityGraph] {
        var generator = SplitMixGenerator(seed: seed)
        return (0..<count).map { index in
            let definitions = 1 + generator.index(below: QuantityName.count)
            return QuantityGraph.random(
                size: 1 + generator.index(below: definitions), definitions: definitions,
                modulus: QuantityGraphConfiguration.moduli[index % 5], using: &generator)
        }
    }

    /// Reachability by repeated passes over the list, without recursion.
    static func reachable(_ graph: QuantityGraph) -> Set<QuantityName> {
        var found: Set = [graph.question]
        for _ in graph.definitions {
            for definition in graph.definitions where found.contains(definition.name) {
                found.formUnion(definition.operandNames)
            }
        }
        return found
    }

    /// Values by repeated passes over the list, on signed integers reduced at the end of each operation.
    static func recomputed(_ graph: QuantityGraph) -> [QuantityName: Int] {
        var values: [QuantityName: Int] = [:]
        func value(_ operand: QuantityOperand) -> Int? {
            switch operand {
            case .constant(let value): value
            case .name(let name): values[name]
            }
        }
        for _ in graph.definitions {
            for definition in graph.definitions {
                guard let left = value(definition.left), let right = value(definition.right) else { continue }
                let result =
                    switch definition.operation {
                    case .plus: left + right
                    case .minus: left - right
                    case .times: left * right
                    }
                values[definition.name] = ((result % graph.modulus) + graph.modulus) % graph.modulus
            }
        }
        return values
    }

    @Test func drawsExactlyTheNeededDefinitions() {
        var generator = SplitMixGenerator(seed: 1)
        var leaves = [0, 0]
        var counts = [0, 0]
        for definitions in 1...QuantityName.count {
            for size in 1...definitions {
                for _ in 0..<20 {
                    let graph = QuantityGraph.random(
                        size: size, definitions: definitions, modulus: 11, using: &generator)
                    let needed = QuantityGraphTests.reachable(graph)
                    #expect(graph.definitions.count == definitions)
                    #expect(needed.count == size)
                    #expect(graph.needed == needed)
                    for definition in graph.definitions {
                        let isNeeded = needed.contains(definition.name) ? 1 : 0
                        counts[isNeeded] += 1
                        leaves[isNeeded] += definition.operandNames.isEmpty ? 1 : 0
                        #expect(definition.operandNames.isEmpty || definition.operandNames.count == 2)
                        if size != 2 || isNeeded == 0 {
                            #expect(Set(definition.operandNames).count == definition.operandNames.count)
                        }
                    }
                }
            }
        }
        let shares = (0..<2).map { Double(leaves[$0]) / Double(counts[$0]) }
        #expect(abs(shares[0] - shares[1]) < 0.1, "distractors look alike: \(shares)")
    }

    @Test func satisfiesItsOwnInvariant() throws {
        for graph in QuantityGraphTests.graphs(2_000, seed: 2) {
            let checked = try QuantityGraph(
                modulus: graph.modulus, definitions: graph.definitions, question: graph.question)
            #expect(checked == graph)
        }
    }

    @Test func evaluatesAsAnIndependentRecomputationDoes() {
        for graph in QuantityGraphTests.graphs(2_000, seed: 3) {
            let values = QuantityGraphTests.recomputed(graph)
            #expect(graph.values() == values)
            #expect(graph.answer == values[graph.question])
        }
    }

    @Test func refusesWhatIsNoGraph() throws {
        func refusal(_ text: String, modulus: Int = 11) -> QuantityGraphError? {
            do {
                _ = try QuantityGraph(questionText: text, modulus: modulus)
                return nil
            } catch {
                return error
            }
        }
        let a = try #require(QuantityName(letter: UInt8(ascii: "a")))
        let b = try #require(QuantityName(letter: UInt8(ascii: "b")))
        #expect(refusal("a=5-6|?a\n") == nil)
        #expect(refusal("a=5-6|?a\n", modulus: 12) == .modulus(12))
        #expect(refusal("a=5-11|?a\n") == .constant(11, modulus: 11))
        #expect(refusal("a=5-6|?b\n") == .undefined(b))
        #expect(refusal("a=5-b|?a\n") == .undefined(b))
        #expect(refusal("a=5-6|a=5-6|?a\n") == .definedTwice(a))
        #expect(refusal("a=b*b|b=a+a|?a\n") == .cycle(a))
        #expect(refusal("a=a*a|?a\n") == .cycle(a))
        #expect(refusal("a=5-6?a\n") == .malformed(offset: 5, expected: "a definition such as e=a*g|, or ?"))
        #expect(refusal("a=5-6|?a") != nil)
        #expect(refusal("") != nil)
    }

    @Test func readsItsQuestionBack() throws {
        for graph in QuantityGraphTests.graphs(500, seed: 4) {
            #expect(try QuantityGraph(questionText: graph.questionText, modulus: graph.modulus) == graph)
        }
    }

    @Test func canonicalKeyIsBlindToNamesAndDistractorsOnly() throws {
        let graph = try QuantityGraph(questionText: "a=5-6|e=a*g|g=3+1|m=a+e|?e\n", modulus: 11)
        let renamed = try QuantityGraph(questionText: "b=h-c|c=3+1|t=h*c|h=5-6|?t\n", modulus: 11)
        let swapped = try QuantityGraph(questionText: "a=5-6|e=g*a|g=3+1|m=a+e|?e\n", modulus: 11)
        let shared = try QuantityGraph(questionText: "a=5-6|e=a*a|g=3+1|m=a+e|?e\n", modulus: 11)
        #expect(graph.canonicalKey == "11|q1*q2|5-6|3+1")
        #expect(renamed.canonicalKey == graph.canonicalKey)
        #expect(renamed.split == graph.split)
        #expect(Set([graph, swapped, shared].map(\.canonicalKey)).count == 3)
    }

    @Test(arguments: [1, 10, 12, 15, 21, 29])
    func refusesModulus(_ modulus: Int) {
        var configuration = QuantityGraphConfiguration()
        configuration.modulus = modulus
        #expect(throws: QuantityGraphConfigurationError.self) { try configuration.validate() }
    }

    @Test func namesTheImpossibleField() {
        func field(_ change: (inout QuantityGraphConfiguration) -> Void) -> String? {
            var configuration = QuantityGraphConfiguration()
            change(&configuration)
            do {
                try configuration.validate()
                return nil
            } catch {
                return error.field
            }
        }
        #expect(field { _ in } == nil)
        #expect(field { $0.modulus = 10 } == "modulus")
        #expect(field { $0.definitions = 21 } == "definitions")
        #expect(field { $0.definitions = 0 } == "definitions")
        #expect(field { $0.baseSizes = 0...4 } == "baseSizes")
        #expect(field { $0.sizes = 4...11 } == "sizes")
        #expect(field { $0.largerSizes = 8...12 } == "largerSizes")
        #expect(field { $0.digression = .nan } == "digression")
        #expect(field { $0.slackSteps = -1 } == "slackSteps")
        #expect(throws: QuantityGraphConfigurationError.self) {
            try QuantityGraphSet(.same, count: 0, configuration: QuantityGraphConfiguration())
        }
    }
}
