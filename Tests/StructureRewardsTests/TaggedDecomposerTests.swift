import TestSupport
import Testing
import Trajectories

@testable import StructureRewards

@Suite struct TaggedDecomposerTests {
    private let decomposer = TaggedDecomposer()

    private func steps(_ text: String) throws -> [Step] { try decomposer.structure(of: text).steps }

    @Test(arguments: [
        "[Meta-reasoning 1]: why\n[Sub-problem 1]: what\n[Answer 1]: 4",
        "[Meat-reasoning 1] why [Sub-problem 1] what [Answer 1] 4",
        "[sub-think 1]why[Query 1]what[Answer 1]4",
        "preamble\n**[ META REASONING  1 ]:** why\n\n[sub_problem 1] : what\n[answer 1:]\n4\n\nSo the final answer is:\n4",
    ])
    func acceptsEveryNotation(text: String) throws {
        #expect(try steps(text) == [Step(metaReasoning: "why", subProblem: "what", answer: "4")])
    }

    @Test(arguments: [
        ("", "[Meta-reasoning 1] expected", 1),
        ("no tags", "[Meta-reasoning 1] expected", 1),
        ("[Sub-problem 1] q\n[Answer 1] a", "[Meta-reasoning 1] expected, [Sub-problem 1] found", 1),
        ("[sub-think 1] m\n[Answer 1] a", "[Sub-problem 1] expected, [Answer 1] found", 2),
        ("[sub-think 1] m\n[Query 1] q", "[Answer 1] is expected", 2),
        ("[sub-think 2] m\n[Query 2] q\n[Answer 2] a", "[Meta-reasoning 1] expected, [Meta-reasoning 2] found", 1),
        ("[sub-think 1] m\n[Query 1]  \n[Answer 1] a", "[Sub-problem 1] is empty", 2),
        ("[sub-think 1] m\n[Query 1] q\n[Answer 1] a\n\n[sub-think 3] m", "[Meta-reasoning 2] expected", 5),
    ])
    func namesWhatIsWrong(text: String, reason: String, line: Int) async throws {
        let failure = await #expect(throws: DecompositionFailure.self) {
            try await decomposer.structure(of: text, question: nil)
        }
        #expect(failure?.reason.contains(reason) == true)
        #expect(failure?.line == line)
    }

    @Test func keepsManyLinesOfAnAnswer() throws {
        let text = "[sub-think 1] m [Query 1] q [Answer 1] def f():\n  return [1]\n\nprint(f())"
        #expect(try steps(text)[0].answer == "def f():\n  return [1]\n\nprint(f())")
    }

    /// Lists are taken apart independently, in order of appearance, whatever the numbers.
    @Test func looseListsDifferInLength() throws {
        let text = "x [Answer 7] z [sub-think 2] a [sub-think 2] b [Query 9] q [Answer 1] c"
        let loose = try decomposer.looseStructure(of: text)
        #expect(loose == LooseStructure(metaReasonings: ["a", "b"], subProblems: ["q"], answers: ["z", "c"]))
    }

    /// The released code splits at `[Query  1]` (two spaces) but lists it nowhere, and knows no other case.
    @Test func looseQuirks() throws {
        let text = "[sub-think 1] a [Query  1] lost [query 1] [Answer 1] c [Answer\t2] lost"
        let loose = try decomposer.looseStructure(of: text)
        #expect(loose == LooseStructure(metaReasonings: ["a"], subProblems: [], answers: ["c"]))
    }

    @Test(arguments: ["", "[Query 1] q [Answer 1] a", "[Sub-think 1] m [Query 1] q", "[sub-think  1] m"])
    func looseWithoutMetaReasoningFails(text: String) {
        #expect(throws: DecompositionFailure.self) { try decomposer.looseStructure(of: text) }
    }

    @Test func looseReadsThePromptsNames() throws {
        let loose = try decomposer.looseStructure(of: "[Meat-reasoning 1]: m [Answer 1] a [Meta-Reasoning 2] n")
        #expect(loose == LooseStructure(metaReasonings: ["m", "n"], subProblems: [], answers: ["a"]))
    }

    @Test func roundTripsRandomStructures() throws {
        var random = SeededGenerator(seed: 3)
        let words = ["price", "of", "9", "eggs", "é", "日本", "=", "[x]", "\n"]
        for _ in 0..<300 {
            let steps = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                let parts = (0..<3).map { _ in "w" + random.text(words, length: 0...5) + "w" }
                return Step(metaReasoning: parts[0], subProblem: parts[1], answer: parts[2])
            }
            let text = steps.enumerated().map { index, step in
                "[Meta-reasoning \(index + 1)]: \(step.metaReasoning)\n[Sub-problem \(index + 1)]: \(step.subProblem)\n"
                    + "[Answer \(index + 1)]: \(step.answer)\n"
            }.joined()
            #expect(try self.steps(text) == steps)
        }
    }
}
