import Testing
import Trajectories

@testable import Tasks

@Suite struct QuantityGraphSetTests {
    @Test func splitsShareNoGraphAndNoText() throws {
        var configuration = QuantityGraphConfiguration()
        // The smallest sizes have few graphs: chance alone would let them meet.
        configuration.sizes = 1...7
        var keys: [DataSplit: Set<String>] = [:]
        var texts: [DataSplit: Set<String>] = [:]
        var identifiers = Set<String>()
        for kind in QuantityGraphSet.Kind.allCases {
            for element in try QuantityGraphSet(kind, count: 1_000, configuration: configuration) {
                keys[kind.split, default: []].insert(element.graph.canonicalKey)
                texts[kind.split, default: []].insert(element.problem.question)
                identifiers.insert(element.problem.id)
            }
        }
        for (first, second) in [(DataSplit.training, DataSplit.validation), (.training, .test), (.validation, .test)] {
            #expect(try #require(keys[first]).isDisjoint(with: #require(keys[second])))
            #expect(try #require(texts[first]).isDisjoint(with: #require(texts[second])))
        }
        #expect(identifiers.count == 6_000)
    }

    @Test func isDeterministicAndDependsOnTheSeed() throws {
        var configuration = QuantityGraphConfiguration()
        let once = try QuantityGraphSet(.training, count: 40, configuration: configuration)
        let longer = try QuantityGraphSet(.training, count: 80, configuration: configuration)
        #expect(Array(once) == Array(longer.prefix(40)))
        configuration.seed = 1
        let other = try QuantityGraphSet(.training, count: 40, configuration: configuration)
        #expect(Set(once.map(\.problem.question)).isDisjoint(with: other.map(\.problem.question)))
    }

    @Test func tracesAreRightAndInTheNotationAskedFor() throws {
        var configuration = QuantityGraphConfiguration()
        for notation in TeacherNotation.allCases {
            configuration.teacherNotation = notation
            for kind in QuantityGraphSet.Kind.allCases {
                for element in try QuantityGraphSet(kind, count: 60, configuration: configuration) {
                    let trace = try #require(element.problem.traces.first)
                    let reading = QuantityGraphNotation.read(trace.text)
                    #expect(trace.structure == nil)
                    #expect(reading.isWellFormed && reading.finalAnswer == element.problem.answer)
                    #expect(trace.text.contains("|") == (kind == .base || notation == .student))
                    let audit = PathAudit(reading, of: element.graph)
                    if kind != .base {
                        #expect(audit.entries.allSatisfy { $0.isTeachersChoice && $0.faults.isEmpty })
                        #expect(audit.entries.count == 2 * element.size)
                    }
                    let graph = try QuantityGraph(
                        questionText: element.problem.question, modulus: configuration.modulus)
                    let limit = CompletionLimit(graph: graph, slackSteps: configuration.slackSteps)
                    #expect(limit == element.completionLimit)
                }
            }
        }
    }

    @Test func sizesTakeTurns() throws {
        let configuration = QuantityGraphConfiguration()
        let sizes = { (kind: QuantityGraphSet.Kind) in
            try QuantityGraphSet(kind, count: 8, configuration: configuration).map(\.size)
        }
        #expect(try sizes(.base) == [1, 2, 3, 4, 1, 2, 3, 4])
        #expect(try sizes(.training) == [4, 5, 6, 7, 4, 5, 6, 7])
        #expect(try sizes(.larger) == [8, 9, 10, 8, 9, 10, 8, 9])
    }
}
