import Foundation
import TestSupport
import Testing
import Trajectories

@testable import StructureRewards

/// No text may trap a parser, and what is parsed is well formed.
@Suite struct ParserFuzzTests {
    private static let alphabet = [
        "[", "]", "Meta-reasoning", "sub-think", "Query", "Answer", "1", "2", "99999999999999999999", " ", "\n", "\r\n",
        ":", "**", " ** ", "<<", ">>", "=", "+", "-", "*", "/", "0", ".", ",", ",000", "$", "£", "%", "\\", "\\frac{",
        "}{", "}", "{", "\\boxed", "\\[", "\\(", "####", "A:", "Step 3", "# ", "- ", "1. ", "x", "eggs", "'s", "’s",
        "’",
        "é", "e\u{301}", "日", "👩‍👩‍👧", "\u{0}", "\u{FFFD}", "×", "÷", "½", "≈", "−", "\u{2028}", "<think>", "</think>",
        "\u{a0}", "~", "(", ")", "√", "١",
    ]

    @Test func noTextTraps() async throws {
        var random = SeededGenerator(seed: 42)
        let judges: [any Judge] = [ExactJudge(), LexicalJudge()]
        for _ in 0..<3000 {
            let text = random.text(Self.alphabet, length: 0...30)
            let other = random.text(Self.alphabet, length: 0...30)
            if let structure = try? SolutionLineReader().structure(of: text) {
                #expect(!structure.steps.isEmpty)
                #expect(structure.steps.allSatisfy { !$0.metaReasoning.isEmpty && !$0.answer.isEmpty })
            }
            if let structure = try? TaggedDecomposer().structure(of: text) { #expect(!structure.steps.isEmpty) }
            if let loose = try? TaggedDecomposer().looseStructure(of: text) { #expect(!loose.metaReasonings.isEmpty) }
            _ = ExactNumber(exactly: text)
            for judge in judges {
                for aspect in StepAspect.allCases {
                    let request = JudgementRequest(aspect: aspect, teacher: text, student: other)
                    let judgement = try await judge.judge(request)
                    #expect((0...1).contains(judgement.confidence))
                    let mirrored = try await judge.judge(
                        JudgementRequest(aspect: aspect, teacher: other, student: text))
                    #expect(mirrored.isSame == judgement.isSame)
                    let same = JudgementRequest(aspect: aspect, teacher: text, student: text)
                    #expect(try await judge.judge(same).isSame)
                }
            }
        }
    }

    /// Every prefix of a text with everything in it, cut at every byte.
    @Test func noTruncationTraps() throws {
        let text = """
            <think>1. **Cost:** \\(\\frac{80 \\text{ GB}}{2} = 40\\) <<80/2=40>> [Meta-reasoning 1]: a’s [Sub-problem 1] ½ × 3
            #### 1,000.50 £ = -3 ≈ 2/5 ** x=<<1=1>>1 \\boxed{\\$5} </think>
            """
        let bytes = Array(text.utf8)
        for length in 0...bytes.count {
            let cut = String(decoding: bytes[..<length], as: UTF8.self)
            _ = try? SolutionLineReader().structure(of: cut)
            _ = try? TaggedDecomposer().structure(of: cut)
            _ = TextUnit.all(in: cut)
            _ = ExactNumber(exactly: cut)
        }
    }
}
