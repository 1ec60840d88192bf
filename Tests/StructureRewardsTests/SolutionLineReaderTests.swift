import Testing
import Trajectories

@testable import StructureRewards

@Suite struct SolutionLineReaderTests {
    private func steps(_ text: String) throws -> [Step] { try SolutionLineReader().structure(of: text).steps }

    @Test func readsPlainSolution() throws {
        let text = """
            Natalia sold 48/2 = <<48/2=24>>24 clips in May.
            Natalia sold 48+24 = <<48+24=72>>72 clips altogether in April and May.
            #### 72
            """
        #expect(
            try steps(text) == [
                Step(
                    metaReasoning: "find natalia sold clips may", subProblem: "Natalia sold 48/2 = clips in May.",
                    answer: "24"),
                Step(
                    metaReasoning: "find natalia sold clips altogether april may",
                    subProblem: "Natalia sold 48+24 = clips altogether in April and May.", answer: "72"),
            ])
    }

    @Test func readsSubQuestions() throws {
        let text = "How much is it? ** It costs 9 * 2 = $<<9*2=18>>18 a day.\n#### 18"
        #expect(
            try steps(text) == [
                Step(metaReasoning: "How much is it?", subProblem: "It costs 9 * 2 = a day.", answer: "18")
            ])
    }

    @Test func readsMarkdownAndLaTeX() throws {
        let text = """
            To find the total, follow these steps:

            1. **Total investment:**
               The sum of the house cost and the repair cost:
               \\[
               80,000 + 50,000 = 130,000
               \\]
            2. **Increase:** Josh pays $80,000.
               \\(150\\% \\text{ of } 80,000 = 1.5 \\times 80,000 = 120,000\\)
            ### Step 3: Share
            - \\[ \\text{Share} = \\frac{1}{3} \\times 6 = 2 \\text{ hours} \\]

            The final answer is \\(\\boxed{2}\\).
            """
        let found = try steps(text)
        #expect(found.map(\.answer) == ["130,000", "120,000", "2"])
        #expect(found[0].metaReasoning == "find total investment sum house cost repair")
        #expect(found[0].subProblem == "80,000 + 50,000 =")
        #expect(found[1].metaReasoning == "find increase josh pays dollars")
        #expect(found[2].subProblem == "Share = 1/3 * 6 = hours")
    }

    @Test(arguments: [
        ("So x = 3 apples.", "3"), ("It is 5.50", "5.50"), ("a = 2 + 1 = 3", "3"), ("a + 1 = -4 degrees", "-4"),
        ("He has 2 + 3 = $1,250.50 now", "1,250.50"), ("6/2 = 1/2 of it", "1/2"), ("She saw 4 cats and 7 dogs", "7"),
        ("5 x 2 = £10", "10"), ("2L = 22 - 8 = 14", "14"), ("it is 3*4=<<3*4=12>>12.0 cups", "12.0"),
    ])
    func takesTheLastResult(line: String, answer: String) throws {
        #expect(try steps(line).map(\.answer) == [answer])
    }

    @Test func linesThatComputeNothingIntroduce() throws {
        let text = "Tom bought 5 pies.\nEach is cut in 8: 5*8 = 40\nA: 40"
        #expect(try steps(text).map(\.answer) == ["40"])
        #expect(try steps("Tom bought 5 pies.\nHe ate 3.").map(\.answer) == ["5", "3"])
    }

    @Test(arguments: ["", "\n\n", "no numbers at all", "#### 4", "A: 4", "\\boxed{4}", "</think> 1+1=2"])
    func failsWithoutResult(text: String) async {
        let failure = await #expect(throws: DecompositionFailure.self) {
            try await RulesDecomposer().structure(of: text, question: nil)
        }
        #expect(failure?.reason == "no line states a result")
    }

    @Test func readsOnlyTheReasoning() throws {
        #expect(try steps("<think>\n1+1=2\n</think>\n<answer>\n2*2=4\n</answer>").map(\.answer) == ["2"])
    }
}
