import Foundation
import TestSupport
import Testing
import Trajectories

@testable import Tasks

@Suite struct AnswerVerifierTests {
    @Test(arguments: [
        ("72", "72."), ("1,234.50", "1234.5"), ("$18", "18"), ("\\$18.00", "18"), ("18 dollars", "18"), ("3/4", "0.75"),
        ("\\frac{3}{4}", "0.75"), ("\\dfrac34", "3/4"), ("-\\frac{1}{2}", "\\frac{-1}{2}"), ("2\\frac{1}{2}", "2.5"),
        ("-2\\frac12", "-5/2"), ("10,\\!080", "10080"), ("1{,}000", "1,000"), (".5", "0.5"), ("+7", "7"),
        ("\u{2212}3", "-3"), ("50%", "50"), ("50\\%", "0.5"), ("5\\text{ cm}", "5"), ("120^\\circ", "120"),
        ("x=5", "5"),
        ("(1, 2)", "( 1,2 )"), ("\\left(\\frac12, -13\\right)", "(0.5,-13)"), ("3,4", "3, 4"), ("[0,1/2]", "[0,0.5]"),
        ("\\text{Evelyn}", "evelyn"), ("\\text{(C)}", "(C)"), ("$\\pi$", "\\pi"), ("11\\sqrt2", "11\\sqrt{2}"),
        ("{5}", "5"), ("6/4", "1.5"), ("0.333", "333/1000"), ("-0", "0"), ("9 %", "9%"),
        ("99999999999999999999999", "99999999999999999999999"),
    ])
    func equal(left: String, right: String) {
        #expect(AnswerVerifier.isEqual(left, right))
        #expect(AnswerVerifier.isEqual(right, left))
    }

    @Test(arguments: [
        ("72", "73"), ("", ""), ("0", ""), ("3/4", "0.7500001"), ("1/3", "0.333"), ("1,23", "123"), ("1,2", "2,1"),
        ("(1,2)", "[1,2]"), ("(1,2)", "(1,2,3)"), ("50%", "5"), ("50%", "0.5%"), ("2 pi", "2"), ("3x", "3"),
        ("5 m", "5"),
        ("x=5", "y=5"), ("A", "a"), ("Alice", "Bob"), ("1/0", "0"), ("0/0", "0/1"), ("52_8", "52"), ("-3", "3"),
        ("99999999999999999999999", "99999999999999999999998"), ("\\frac{1}{2}", "\\frac{2}{1}"),
        ("\\leftarrow", "arrow"), ("1 \\text{ and } 2", "12"), ("\\{1\\}", "1,"),
    ])
    func different(left: String, right: String) {
        #expect(!AnswerVerifier.isEqual(left, right))
        #expect(!AnswerVerifier.isEqual(right, left))
    }

    @Test func rationalsAreExactAndNeverTrap() throws {
        #expect(Rational(6, over: -4) == Rational(-3, over: 2))
        #expect(Rational(1, over: 0) == nil)
        #expect(Rational(.min, over: 1) == nil)
        let large = try #require(Rational(.max, over: 1))
        let small = try #require(Rational(1, over: .max))
        #expect(large * large == nil)
        #expect(large + large == nil)
        #expect(small + large == nil)
        #expect(large * small == .one)
        #expect(large / large == .one)
        #expect(Rational(parsing: "9223372036854775807")?.numerator == .max)
        #expect(Rational(parsing: "9223372036854775808") == nil)
        #expect(Rational(parsing: "0.0000000000000000000001") == nil)
        for value in [
            "", "-", ".", "1.", "1..2", "--1", "1/", "/2", "\\frac{1}", "\\frac{}{2}", "1 2", "1,2", "1,2345",
        ] {
            #expect(Rational(parsing: value) == nil, "\(value)")
        }
    }

    @Test(
        arguments: [
            (AnswerStyle.boxed, "so \\boxed{\\frac{1}{2}}.", "\\frac{1}{2}"),
            (.boxed, "\\boxed{1} then \\boxed{ 2 }", "2"),
            (.boxed, "\\boxed{1} then \\boxed{2", "1"), (.boxed, "\\boxed{\\{1, 2\\}}", "\\{1, 2\\}"),
            (.boxed, "\\fbox{7}", "7"), (.boxed, "\\text{no} 7", nil), (.boxed, "\\boxed{}", nil),
            (.boxed, "a\\\\boxed{3}", nil), (.hashes, "6*2 = 12\n#### 72", "72"),
            (.hashes, "#### 1\n#### 1,000 ", "1,000"),
            (.hashes, "### 4", nil), (.labelled, "work\nA: 26", "26"), (.labelled, "Answer: 3\nmore", "3"),
            (.labelled, "A dog: 3", nil), (.quantityGraph, "e=1+2|e;1+2e:3|#3", "3"),
            (.quantityGraph, "Answer 10\n", "10"),
            (.quantityGraph, "e;1+2e:3|", nil), (.quantityGraph, "#3|", nil),
            (.lastNumber, "7 - 5 = -2 for 1,200.5 days.", "1200.5"),
            (.lastNumber, "it is 10-5", "5"), (.lastNumber, "it is -5", "-5"), (.lastNumber, "none", nil),
            (.automatic, "#### 4 \\boxed{5}", "5"), (.automatic, "A: 4\n#### 6", "6"), (.automatic, "only 6", nil),
        ] as [(AnswerStyle, String, String?)])
    func extracts(style: AnswerStyle, text: String, answer: String?) {
        #expect(AnswerVerifier.extractAnswer(from: text, style: style) == answer)
    }

    @Test func anyTextIsHandled() {
        var generator = SplitMixGenerator(seed: 31)
        let pieces = [
            "\\boxed{", "\\frac", "\\frac{", "}", "{", "(", ")", "[", "]", ",", "1", "234", "0", ".", "-", "/", "%",
            "\\", "$",
            "\\text{", "\\left", "\\right", " ", "\n", "=", "x", "####", "#", "A:", "é", "\u{2212}",
            "99999999999999999999",
            "^\\circ", "\\sqrt", "pi", "²", "٣",
        ]
        for _ in 0..<5_000 {
            func text() -> String {
                (0..<generator.index(below: 12)).map { _ in pieces[generator.index(below: pieces.count)] }.joined()
            }
            let (first, second) = (text(), text())
            #expect(AnswerVerifier.isEqual(first, second) == AnswerVerifier.isEqual(second, first))
            #expect(AnswerVerifier.isEqual(first, first) == !AnswerText(first).text.isEmpty)
            for style in AnswerStyle.allCases {
                #expect(AnswerVerifier.extractAnswer(from: first + second, style: style) != "")
            }
        }
        let deep = String(repeating: "(1,", count: 200_000)
        #expect(AnswerVerifier.isEqual(deep, deep))
        #expect(!AnswerVerifier.isEqual(deep, deep + "1"))
        #expect(AnswerVerifier.extractAnswer(from: String(repeating: "\\boxed{", count: 200_000), style: .boxed) == nil)
    }

    @Test(.enabled(if: SharedData.isPresent, "the shared data is absent"))
    func mathAnswersEqualThemselvesAndNoOthers() throws {
        struct Row: Decodable {
            var answer: String
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: SharedData.path("answers/math500.first250.json")))
        let answers = try JSONDecoder().decode([Row].self, from: data).map(\.answer)
        #expect(answers.count == 250)
        for answer in answers {
            #expect(AnswerVerifier.isCorrect("Thus $\\boxed{\(answer)}$.", reference: answer, style: .boxed))
        }
        let distinct = Set(answers).sorted()
        var equal: [String] = []
        for (index, first) in distinct.enumerated() {
            for second in distinct[(index + 1)...] where AnswerVerifier.isEqual(first, second) {
                equal.append("\(first) \(second)")
            }
        }
        #expect(equal == ["120 120^\\circ", "30 30^\\circ", "5 x=5", "90 90^\\circ"])
    }

    /// Published judgements on real models' texts are an independent truth.
    @Test(.enabled(if: SharedData.isPresent, "the shared data is absent"))
    func agreesWithPublishedJudgements() throws {
        struct Path: Decodable {
            var question: String
            var path: String
            var correct: Bool
        }
        struct Solutions: Decodable {
            struct Solution: Decodable {
                var isCorrect: Bool
                var solution: String

                private enum CodingKeys: String, CodingKey {
                    case isCorrect = "is_correct"
                    case solution
                }
            }
            var question: String
            var finetuning: Solution
            var verification: Solution

            private enum CodingKeys: String, CodingKey {
                case question
                case finetuning = "6b_finetuning"
                case verification = "175b_verification"
            }
        }
        let problems = try GSM8K.read(path: SharedData.path("gsm8k/test.first660.jsonl"), reader: LabelReader())
        let byQuestion = Dictionary(problems.map { ($0.question, $0) }) { first, _ in first }
        let boxed = TextAnswerVerifier(style: .boxed)
        for row in try SharedData.rows(Path.self, "gsm8k/student_paths.Qwen2.5-3B-Instruct.first660.jsonl") {
            let problem = try #require(byQuestion[row.question])
            #expect(boxed.isCorrect(row.path, for: problem) == row.correct)
        }
        let labelled = TextAnswerVerifier(style: .labelled)
        for row in try SharedData.rows(Solutions.self, "gsm8k/example_model_solutions.first660.jsonl") {
            let problem = try #require(byQuestion[row.question])
            for solution in [row.finetuning, row.verification] {
                #expect(labelled.isCorrect(solution.solution, for: problem) == solution.isCorrect)
            }
        }
    }
}
