import TestSupport
import Testing

@testable import StructureRewards

private func isSame(_ judge: any Judge, _ aspect: StepAspect, _ teacher: String, _ student: String) async throws -> Bool
{
    try await judge.judge(JudgementRequest(aspect: aspect, teacher: teacher, student: student)).isSame
}

@Suite struct JudgeTests {
    @Test(arguments: [
        ("9", "9.0"), ("9", "$9"), ("9", "18/2"), ("1,250", "1250.00"), ("-3", "−3"), ("1/2", "0.5"),
        ("\\frac{1}{2}", "0.5"), ("\\frac{-1}{2}", "-0.50"), ("9.", "9"), ("50%", "50"), ("Nine eggs", "9 EGGS!"),
        ("x = 3", "x=3"), ("\\$18", "18"), ("66 2/3", "66  2/3"), ("0.1", ".10"),
    ])
    func exactlyEqualAnswers(first: String, second: String) async throws {
        #expect(try await isSame(ExactJudge(), .answer, first, second))
        #expect(try await isSame(LexicalJudge(), .answer, first, second))
    }

    @Test(arguments: [
        ("9", "10"), ("9", "-9"), ("1/2", "1/3"), ("9 eggs", "9 hens"), ("34", "(3)(4)"), ("3 4", "34"), ("", "0"),
        ("1/0", "1/0.5"), ("√2", "2"), ("2*(3+4)", "2*3+4"), ("99999999999999999999", "99999999999999999998"),
    ])
    func exactlyDifferentAnswers(first: String, second: String) async throws {
        #expect(try await !isSame(ExactJudge(), .answer, first, second))
    }

    @Test func exactTextsIgnoreCaseAndPunctuation() async throws {
        #expect(try await isSame(ExactJudge(), .metaReasoning, "Find the price, then.", "find the  PRICE then"))
        #expect(try await !isSame(ExactJudge(), .metaReasoning, "open a", "open b"))
        #expect(try await !isSame(ExactJudge(), .subProblem, "5 - 3", "5 + 3"))
    }

    @Test(arguments: [
        (StepAspect.metaReasoning, "How many eggs does Janet sell?", "find janet sells duck eggs day", true),
        (.metaReasoning, "How much does the paper cost?", "find price of the pen", true),
        (.metaReasoning, "How many eggs does Janet sell?", "find meals muffins", false),
        (.subProblem, "Janet sells 16 - 3 - 4 = eggs", "She has 16 - 3 - 4 = eggs", true),
        (.subProblem, "Janet sells 16 - 3 - 4 = eggs", "Janet sells 5 * 7 = eggs", false),
        (.answer, "66.67", "200/3", true), (.answer, "10/3", "3.33", true), (.answer, "67", "66", false),
        (.answer, "9 eggs", "9", true), (.answer, "the red house", "red houses", true), (.answer, "red", "blue", false),
    ])
    func lexical(aspect: StepAspect, teacher: String, student: String, expected: Bool) async throws {
        #expect(try await isSame(LexicalJudge(), aspect, teacher, student) == expected)
    }

    @Test(arguments: [
        ("sells", "sell"), ("selling", "sell"), ("stopped", "stop"), ("bakes", "bak"), ("baking", "bak"),
        ("studies", "study"), ("glasses", "glass"), ("is", "is"), ("bus", "bus"), ("ring", "ring"), ("日本語", "日本語"),
    ])
    func stems(word: String, stem: String) { #expect(WordStem.of(word) == stem) }

    /// Against the definition with explicit sets and counts.
    @Test func similaritiesAgreeWithCounting() {
        var random = SeededGenerator(seed: 9)
        for _ in 0..<500 {
            let lists = (0..<2).map { _ in
                (0..<Int.random(in: 0...6, using: &random)).map { _ in Int.random(in: 0...4, using: &random) }
            }
            var rest = lists[1]
            var shared = 0
            for element in lists[0] {
                guard let found = rest.firstIndex(of: element) else { continue }
                rest.remove(at: found)
                shared += 1
            }
            let total = lists[0].count + lists[1].count
            #expect(LexicalJudge.balance(lists[0], lists[1]) == (total == 0 ? 0 : Double(2 * shared) / Double(total)))
            let distinct = (0...4).filter { lists[0].contains($0) && lists[1].contains($0) }.count
            let smaller = min(Set(lists[0]).count, Set(lists[1]).count)
            #expect(LexicalJudge.overlap(lists[0], lists[1]) == (smaller == 0 ? 0 : Double(distinct) / Double(smaller)))
        }
    }
}
