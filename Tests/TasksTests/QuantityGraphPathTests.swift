import Testing

@testable import Tasks

@Suite struct QuantityGraphPathTests {
    @Test func teacherOpensAndSolvesEachNeededQuantityOnce() {
        for graph in QuantityGraphTests.graphs(2_000, seed: 11) {
            let path = graph.teacherPath()
            let needed = QuantityGraphTests.reachable(graph)
            let openings = path.compactMap { if case .open(let name) = $0 { name } else { nil } }
            let solvings = path.compactMap { if case .solve(let name) = $0 { name } else { nil } }
            #expect(openings.count == needed.count && Set(openings) == needed)
            #expect(solvings.count == needed.count && Set(solvings) == needed)
            #expect(path.first == .open(graph.question) && path.last == .solve(graph.question))
        }
    }

    /// The left operand's whole work comes before the right one is opened.
    @Test func teacherGoesLeftFirstAndDepthFirst() {
        for graph in QuantityGraphTests.graphs(1_000, seed: 12) {
            var (opened, solved) = (Set<QuantityName>(), Set<QuantityName>())
            for action in graph.teacherPath() {
                #expect(action == graph.teacherChoice(opened: opened, solved: solved))
                if case .open = action { opened.insert(action.name) } else { solved.insert(action.name) }
            }
            #expect(graph.teacherChoice(opened: opened, solved: solved) == nil)
        }
    }

    @Test func teachersChoiceStandsWhereverAPathIs() throws {
        let graph = try QuantityGraph(questionText: "a=5-6|e=a*g|g=3+1|m=a+e|?e\n", modulus: 11)
        let names = Dictionary(uniqueKeysWithValues: QuantityName.all.map { ($0.description, $0) })
        let a = try #require(names["a"])
        let e = try #require(names["e"])
        let g = try #require(names["g"])
        #expect(graph.teacherChoice(opened: [], solved: []) == .open(e))
        #expect(graph.teacherChoice(opened: [g], solved: [g]) == .open(e))
        #expect(graph.teacherChoice(opened: [e, g], solved: [g]) == .open(a))
        #expect(graph.teacherChoice(opened: [e, g], solved: []) == .open(a))
        #expect(graph.teacherChoice(opened: [e, a, g], solved: [a, g]) == .solve(e))
        #expect(graph.teacherChoice(opened: [e, a, g], solved: [a, g, e]) == nil)
    }

    @Test(arguments: [0, 0.15, 1])
    func sloppyPathsAreRightStepByStep(digression: Double) {
        var generator = SplitMixGenerator(seed: 13)
        var digressions = 0
        for graph in QuantityGraphTests.graphs(1_000, seed: 14) {
            let path = graph.sloppyPath(digression: digression, using: &generator)
            let text = QuantityGraphNotation.student.text(of: path, in: graph, using: &generator)
            let reading = QuantityGraphNotation.read(text)
            let audit = PathAudit(reading, of: graph)
            #expect(reading.isWellFormed && audit.isAnswerRight)
            #expect(reading.steps.map(\.action) == path)
            for entry in audit.entries {
                #expect(entry.isFirstTime && entry.isReady)
                #expect(entry.isRecallRight != false && entry.isSubstitutionRight != false)
                #expect(entry.isArithmeticRight != false)
                digressions += entry.isNeeded ? 0 : 1
            }
        }
        #expect((digressions == 0) == (digression == 0))
    }

    @Test func auditNamesTheFault() throws {
        let graph = try QuantityGraph(questionText: "a=5-6|e=a*g|g=3+1|m=a+e|?e\n", modulus: 11)
        func faults(_ text: String) -> [[PathAudit.Fault]] {
            PathAudit(QuantityGraphNotation.read(text), of: graph).entries.map(\.faults)
        }
        #expect(faults("e=a*g|a=5-6|a;5-6a:10|g=3+1|g;3+1g:4|e;a:10*g:4e:7|#7") == Array(repeating: [], count: 6))
        #expect(faults("m=a+e|") == [[.choice]])
        #expect(faults("b=1+2|") == [[.choice, .recall]])
        #expect(faults("e=a*g|e=a*g|") == [[], [.choice]])
        #expect(faults("e=g*a|") == [[.recall]])
        #expect(faults("a=5-6|a;5-6a:9|") == [[], [.compute]])
        #expect(faults("a=5-6|a;5-7a:9|") == [[], [.substitution]])
        #expect(faults("a=5-6|a;5+6a:0|") == [[], [.substitution]])
        #expect(faults("a;5-6a:10|") == [[.choice]])
        // A value computed wrongly is one fault; using it later is none.
        #expect(
            faults("e=a*g|a=5-6|a;5-6a:9|g=3+1|g;3+1g:4|e;a:9*g:4e:3|#3") == [[], [], [.compute], [], [], []])
        #expect(faults("e=a*g|a=5-6|a;5-6a:10|g=3+1|g;3+1g:4|e;g:4*a:10e:7|").last == [.substitution])
        let wrong = PathAudit(QuantityGraphNotation.read("e=a*g|g=3+1|#3"), of: graph)
        #expect(wrong.entries.map(\.isTeachersChoice) == [true, false])
        #expect(!wrong.isAnswerRight && wrong.firstFaulty == nil)
    }
}
